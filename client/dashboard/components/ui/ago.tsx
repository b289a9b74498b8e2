import { ago, dateTime } from '../../lib/format.ts'
import { useNow } from '../../lib/use-now.ts'

/** How long ago, with the instant itself for who points at it. */
export function Ago({ at }: { readonly at: string }) {
  const now = useNow()
  return (
    <time dateTime={at} title={dateTime(at)}>
      {ago(at, now)}
    </time>
  )
}
