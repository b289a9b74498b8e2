import type { ReactNode } from 'react'

export type Fact = readonly [name: string, value: ReactNode, note?: ReactNode]

/** Names and values, small; `large` for the few numbers that a page is about. */
export function Facts({
  facts,
  large = false,
}: {
  readonly facts: readonly Fact[]
  readonly large?: boolean
}) {
  return (
    <dl className={large ? 'facts large' : 'facts'}>
      {facts.map(([name, value, note]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
          {note !== undefined && <dd className="note">{note}</dd>}
        </div>
      ))}
    </dl>
  )
}
