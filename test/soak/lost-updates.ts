import { readRecords } from '../chaos/client-records.ts'
import type { Finding } from './verdict.ts'

/** Whether each update that a client was told to be accepted is in the journal, and once. */
export async function findLostUpdates(
  records: string,
  query: (sql: string) => Promise<Record<string, unknown>[]>,
): Promise<Finding> {
  const rows = await query(`
    SELECT event->>'client' AS client, event->'update'->>'blob' AS blob, count(*)::int AS times
    FROM journal_event WHERE event->>'type' = 'update-received' GROUP BY 1, 2`)
  const journalled = new Map(
    rows.map(({ client, blob, times }) => [`${String(client)} ${String(blob)}`, times]),
  )
  const acknowledged = readRecords(records).filter(({ type }) => type === 'acknowledged')
  const lost = acknowledged.filter(
    ({ client, sha256 }) => journalled.get(`${client} ${sha256}`) !== 1,
  )
  return {
    invariant: 'an acknowledged update is in the journal, once',
    isOk: lost.length === 0 && acknowledged.length > 0,
    detail: `${acknowledged.length} acknowledged, ${lost.length} of them not there or there twice`,
  }
}
