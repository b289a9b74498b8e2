import type { ReactNode } from 'react'
import { Failure } from './failure.tsx'

interface Query<Data> {
  readonly data: Data | undefined
  readonly error: unknown
  readonly refetch: () => unknown
}

interface LoadedProps<Data> {
  readonly query: Query<Data>
  /** Lines that stand in for what is to come, so that the page does not jump. */
  readonly lines?: number
  readonly children: (data: Data) => ReactNode
}

/** What was asked for once it is there, and until then that it is not, or why. */
export function Loaded<Data>({ query, lines = 6, children }: LoadedProps<Data>) {
  if (query.data !== undefined) {
    return (
      <>
        {query.error !== null && (
          <Failure error={query.error} onRetry={() => void query.refetch()} />
        )}
        {children(query.data)}
      </>
    )
  }
  if (query.error !== null)
    return <Failure error={query.error} onRetry={() => void query.refetch()} />
  return <Skeleton lines={lines} />
}

export function Skeleton({ lines }: { readonly lines: number }) {
  return (
    <div className="skeleton" role="status">
      <span className="visually-hidden">Loading…</span>
      {Array.from({ length: lines }, (_, i) => (
        <span key={i} aria-hidden="true" style={{ width: `${92 - ((i * 17) % 40)}%` }} />
      ))}
    </div>
  )
}
