import pc from 'picocolors'
import { describe, expect, it } from 'vitest'
import { type WatchState, watchLines } from '../../../../client/watch/watch-lines.ts'
import { BlobId, ClientId, RoundNumber, RunId } from '../../../../shared/ids.ts'
import type { ClientLane, FederationView } from '../../../../shared/protocol/operator/live.ts'

const NOW = Date.parse('2026-11-28T12:00:00Z')
const OPTIONS = { columns: 100, rows: 30, colors: pc.createColors(false), now: NOW }

const RUN = RunId.parse('3f0c2a52-9d0c-4a32-9f7c-0a6f4a3e7b11')

const FEDERATION: FederationView = {
  ...{ version: '0.1.0', engine: 'native', since: '2026-11-28T11:00:00Z', staysForRuns: true },
  ...{ run: RUN, isPaused: false, globalModel: BlobId.parse('a'.repeat(64)), lastEventId: '1.9' },
  clients: { connected: 2, known: 3, banned: 0, quarantined: 1 },
  round: {
    ...{ run: RUN, round: RoundNumber.parse(4), phase: 'collecting', detail: null },
    ...{ phaseSince: '2026-11-28T11:59:00Z', beganAt: '2026-11-28T11:59:00Z' },
    ...{ deadlineAt: '2026-11-28T12:01:30Z', cohort: 3, quorum: 2, goal: 3, updates: 1 },
    ...{ remainingSeconds: 300, failure: null },
  },
}

const lane = (client: string, of: Partial<ClientLane> = {}): ClientLane => ({
  ...{ client: ClientId.parse(client), state: 'training', since: '2026-11-28T11:59:00Z' },
  ...{ done: 0.5, loss: 0.25, losses: [], receivedBytes: 0, sizeBytes: null },
  ...{ isInCohort: true, problem: null, ...of },
})

const STATE: WatchState = {
  federation: FEDERATION,
  lanes: [
    lane('clinic-a', { state: 'accepted', done: 1, loss: null }),
    lane('clinic-b'),
    lane('clinic-c', {
      state: 'quarantined',
      done: null,
      loss: null,
      problem: 'NaN in dense.kernel',
    }),
  ],
  events: [
    {
      ...{ id: '1.9', at: '2026-11-28T11:59:58Z', run: RUN, round: RoundNumber.parse(4) },
      ...{ type: 'update-received', phase: 'collecting', client: ClientId.parse('clinic-a') },
      text: 'clinic-a sent its update',
    },
  ],
  accuracies: [0.5, 0.7, 0.6],
  connection: 'connected',
}

describe('watchLines', () => {
  it('should tell where the run is, who holds it up, and what happened last', () => {
    expect(`\n${watchLines(STATE, OPTIONS).join('\n')}\n`).toBe(`
Graft · run 3f0c2a52 · 2 of 3 clients connected, in quarantine: 1
round 4: collecting · 1 of 3 updates, 2 suffice · deadline in 90 s · about 5 min left
accuracy ▁█▅ 60.00 %, best 70.00 %

clinic-c  quarantined                  NaN in dense.kernel
clinic-b  training    ████████░░░░░░░░ loss 0.2500
clinic-a  accepted    ████████████████

11:59:58 clinic-a sent its update
`)
  })

  it('should sum up the clients that there is no room for, and keep those in trouble', () => {
    const crowd = Array.from({ length: 200 }, (_, i) => lane(`client-${i}`))
    const lines = watchLines({ ...STATE, lanes: [...crowd, ...STATE.lanes] }, OPTIONS)
    expect(lines.length).toBeLessThan(OPTIONS.rows)
    expect(lines).toContainEqual(expect.stringMatching(/^clinic-c +quarantined/))
    expect(lines).toContainEqual(
      expect.stringMatching(/^and 18\d more: 18\d training, 1 accepted$/),
    )
  })

  it('should fit a narrow terminal, and say when there is no connection, no run, no round', () => {
    for (const line of watchLines(STATE, { ...OPTIONS, columns: 40 }))
      expect(line.length).toBeLessThanOrEqual(40)
    expect(watchLines({ ...STATE, connection: 'lost' }, OPTIONS).at(-1)).toMatch(/^Connection lost/)
    expect(watchLines({ ...STATE, federation: null, connection: 'connecting' }, OPTIONS)).toEqual([
      'Connecting.',
    ])
    const idle = { ...STATE, federation: { ...FEDERATION, run: null, round: null, isPaused: true } }
    expect(watchLines({ ...idle, lanes: [], accuracies: [] }, OPTIONS)[0]).toMatch(
      /^Graft · no run goes on · paused · /,
    )
  })
})
