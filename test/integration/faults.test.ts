import { describe, expect, it } from 'vitest'
import { createSharedMeans } from '../../client/simulator/shared-means.ts'
import { runVirtualClient } from '../../client/simulator/virtual-client.ts'
import { shardData } from '../../client/node/shard-data.ts'
import { ClientId } from '../../shared/ids.ts'
import { FaultPlan } from '../../shared/protocol/fault-plan.ts'
import type { FaultEvent } from '../../shared/protocol/simulation-report.ts'
import type { RunSettings } from '../../shared/protocol/run-settings.ts'
import { startTestEngine } from '../support/engine.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'
import { JOIN_TOKEN, startFederation } from '../support/test-federation.ts'
import { TOY_DATASET, TOY_SETTINGS } from '../support/toy-run.ts'

await startTestEngine()

/** Wide enough for an update that flips and cuts can strike in its middle. */
const SETTINGS: Partial<RunSettings> = { model: 'mlp:6-400-4' }

/** A client each; none of them keeps an update from arriving whole in its round. */
const HARMLESS = [
  { fault: 'cut', at: 'upload', byte: 6000, seconds: 0.1 },
  { fault: 'cut', at: 'training' },
  { fault: 'flip', byte: 5000, times: 2 },
  { fault: 'leave', when: 'before-upload', back: 'same-round' },
  { fault: 'slow', factor: 1.5 },
]

describe('a fault plan', () => {
  it('should not change the model where every update arrives in the end', async () => {
    const clients = HARMLESS.length
    const changes = { clients, quorum: clients }
    const healthy = await runPlan({ faults: [] }, changes)
    const faults = HARMLESS.map((fault, index) => ({ ...fault, clients: [`client-${index}`] }))
    const struck = await runPlan({ faults }, changes)
    expect(struck.models).toEqual(healthy.models)
    expect(
      struck.events.map(({ client, round, detail }) => `${client} ${round} ${detail}`).sort(),
    ).toEqual([
      'client-0 1 network cut at byte 6000 of the upload, for 0.1 s',
      'client-1 1 no network for 0 s from before its first step',
      'client-2 1 bit flipped at byte 5000 of the upload',
      'client-2 1 bit flipped at byte 5000 of the upload',
      'client-3 1 leaves before its upload, and comes back at once',
      'client-4 1 trains 1.5 times as long',
    ])
    expect(healthy.events).toEqual([])
  })

  it('should leave out what did not arrive, and have all of them in the next round', async () => {
    const rounds = [1]
    const faults = [
      { fault: 'leave', clients: ['client-1'], rounds, when: 'before-upload', back: 'next-round' },
      { fault: 'corrupt', clients: ['client-2'], rounds, how: 'nan' },
    ]
    const sizes = { clients: 3, rounds: 2, quorum: 1, deadlineSeconds: 10 }
    const { reports, quarantined } = await runPlan({ faults }, sizes)
    expect(
      reports.map(({ cohort, parents }) => [cohort, parents.map(({ client }) => client).join()]),
    ).toEqual([
      [3, 'client-0'],
      [3, 'client-0,client-1,client-2'],
    ])
    expect(quarantined).toEqual(['GRAFT_NOT_FINITE'])
  })
})

// Helpers

/** A run on the toy data set with virtual clients that share an engine, as in a worker. */
async function runPlan(plan: object, changes: Partial<RunSettings> = {}) {
  await using folder = await createTemporaryFolder()
  const settings = { ...TOY_SETTINGS, ...SETTINGS, ...changes }
  await using federation = await startFederation({ home: folder.path, settings })
  const { takeTurns, keepBlob } = createSharedMeans()
  const events: FaultEvent[] = []
  const clients = Array.from({ length: settings.clients }, (_, index) =>
    runVirtualClient(
      {
        servers: [federation.url],
        token: JOIN_TOKEN,
        name: ClientId.parse(`client-${index}`),
        engineName: 'test',
        dataFor: (of) =>
          shardData({ index, count: settings.clients }, of, { load: async () => TOY_DATASET }),
        equip: takeTurns,
        keepBlob,
        signal: federation.signal,
      },
      { plan: FaultPlan.parse(plan), seed: settings.seed, tell: (event) => events.push(event) },
    ),
  )
  const reports = await federation.reports
  await Promise.all(clients)
  const audit = await federation.store.readAudit(100)
  return {
    reports,
    events,
    models: reports.map(({ published }) => published.modelSha256),
    quarantined: audit
      .filter(({ action }) => action === 'update:quarantined')
      .map(({ details }) => (details as { code: string }).code),
  }
}
