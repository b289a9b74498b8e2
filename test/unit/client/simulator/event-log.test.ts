import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openEventLog } from '../../../../client/simulator/event-log.ts'
import { ClientId, RoundNumber } from '../../../../shared/ids.ts'
import type { WorkerMessage } from '../../../../shared/protocol/process-messages.ts'
import { createTemporaryFolder } from '../../../support/temporary-folder.ts'

const fault = (client: string, round: number, isGone = false): WorkerMessage => ({
  type: 'fault',
  client: ClientId.parse(client),
  round: RoundNumber.parse(round),
  fault: 'leave',
  detail: 'leaves',
  ...(isGone && { isGone: true as const }),
})

describe('openEventLog', () => {
  it('should tell by round and client what happened, also before it was opened again', async () => {
    await using folder = await createTemporaryFolder()
    const file = join(folder.path, 'run', 'events.jsonl')
    const before = await openEventLog(file, 'a run')
    before.add(fault('bob', 2))
    before.add(fault('ada', 2, true))
    await appendFile(file, '{"type":"fault","clie')
    const after = await openEventLog(file, 'a run')
    after.add(fault('bob', 1))
    // The round was begun again.
    after.add(fault('bob', 2))
    expect(after.report().faults.map(({ client, round }) => `${round} ${client}`)).toEqual([
      '1 bob',
      '2 ada',
      '2 bob',
    ])
    expect([...after.gone()]).toEqual(['ada'])
  })

  it('should know nothing of another run', async () => {
    await using folder = await createTemporaryFolder()
    const file = join(folder.path, 'events.jsonl')
    const one = await openEventLog(file, 'a run')
    one.add(fault('ada', 1, true))
    const other = await openEventLog(file, 'another run')
    expect(other.report().faults).toEqual([])
    expect(other.gone().size).toBe(0)
  })
})
