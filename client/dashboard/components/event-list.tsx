import { memo } from 'react'
import type { LiveEvent } from '../../../shared/protocol/operator/live.ts'
import { dateTime, timeOfDay } from '../lib/format.ts'
import { Empty } from './ui/empty.tsx'

/** Events, newest first, one line each. */
export const EventList = memo(function EventList({
  events,
}: {
  readonly events: readonly LiveEvent[]
}) {
  if (events.length === 0) return <Empty title="Nothing has happened yet" />
  return (
    <ol className="events">
      {events.map(({ id, at, round, text, type }) => (
        <li key={id}>
          <time dateTime={at} title={dateTime(at)}>
            {timeOfDay(at)}
          </time>
          <span className="events-round">round {round}</span>
          <span className={type === 'work-failed' ? 'bad' : ''}>{text}</span>
        </li>
      ))}
    </ol>
  )
})
