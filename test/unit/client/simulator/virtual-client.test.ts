import { afterEach, describe, expect, it, vi } from 'vitest'
import { type NodeOptions, runNode } from '../../../../client/node/node.ts'
import type { Participant } from '../../../../client/node/round.ts'
import {
  runVirtualClient,
  type VirtualClient,
} from '../../../../client/simulator/virtual-client.ts'
import { GraftError } from '../../../../shared/errors.ts'
import { FaultPlan } from '../../../../shared/protocol/fault-plan.ts'
import type { FaultEvent } from '../../../../shared/protocol/simulation-report.ts'
import { clientId, round, RUN, SETTINGS } from '../../../support/test-gateway.ts'
import { toyUpdate } from '../../../support/toy-run.ts'

vi.mock(import('../../../../client/node/node.ts'))

const REFUSAL = new GraftError('GRAFT_SHAPE_MISMATCH', 'Another shape.')

afterEach(() => {
  vi.clearAllMocks()
})

describe('runVirtualClient', () => {
  it('should end with the refusal of an update of another shape, as its client does', async () => {
    vi.mocked(runNode).mockImplementation((node) => uploadWith(node, () => Promise.reject(REFUSAL)))
    const events = await run([{ fault: 'corrupt', how: 'shape' }])
    expect(events).toMatchObject([
      { client: 'ada', round: 1, fault: 'corrupt', detail: 'sends a tensor of another shape' },
      { round: 1, fault: 'corrupt', detail: 'ends: Another shape.', isGone: true },
    ])
  })

  it('should fail with a refusal that the plan is not the reason of', async () => {
    vi.mocked(runNode).mockImplementation((node) => uploadWith(node, () => Promise.reject(REFUSAL)))
    await expect(run([{ fault: 'slow', factor: 2 }])).rejects.toBe(REFUSAL)
  })

  it('should leave for good once its update is sent', async () => {
    const push = vi.fn(async () => undefined)
    vi.mocked(runNode).mockImplementation((node) => uploadWith(node, push))
    const events = await run([{ fault: 'leave', when: 'after-upload', back: 'never' }])
    expect(push).toHaveBeenCalledOnce()
    expect(runNode).toHaveBeenCalledOnce()
    expect(events).toMatchObject([{ detail: 'leaves after its upload, for good', isGone: true }])
  })

  it('should leave once a round, and come back', async () => {
    const push = vi.fn(async () => undefined)
    vi.mocked(runNode).mockImplementation((node) => uploadWith(node, push))
    const events = await run([{ fault: 'leave', when: 'before-upload', back: 'same-round' }])
    expect(runNode).toHaveBeenCalledTimes(2)
    expect(push).toHaveBeenCalledOnce()
    expect(events).toHaveLength(1)
  })

  it('should come late', async () => {
    vi.mocked(runNode).mockResolvedValue({ rounds: 1, accepted: [] })
    expect(await run([{ fault: 'late', seconds: 0 }])).toMatchObject([{ client: 'ada', round: 0 }])
    expect(runNode).toHaveBeenCalledOnce()
  })
})

// Helpers

/** Runs a client of this plan. @returns what was done to it */
async function run(faults: object[]): Promise<FaultEvent[]> {
  const events: FaultEvent[] = []
  const client: VirtualClient = {
    servers: ['http://127.0.0.1:1'],
    token: 'secret',
    name: clientId('ada'),
    engineName: 'test',
    dataFor: () => Promise.reject(new Error('nobody asks')),
    equip: (participant) => participant,
    signal: new AbortController().signal,
  }
  const plan = FaultPlan.parse({ faults })
  await runVirtualClient(client, { plan, seed: 7, tell: (event) => events.push(event) })
  return events
}

/** What a node does: it joins, uploads in round 1, and ends with the reason of its signal when that is aborted. */
async function uploadWith(node: NodeOptions, push: Participant['wire']['push']) {
  const joined = { run: RUN, clientId: clientId('ada'), settings: SETTINGS }
  const participant = node.equip!({ joined, work: {}, wire: { push } } as unknown as Participant)
  const commit = () => ({ numExamples: 1, classCounts: [1] as [number], seconds: SECONDS })
  try {
    await participant.wire.push({ round: round(1), bytes: toyUpdate('a').bytes, commit }, {})
  } catch (error) {
    node.signal!.throwIfAborted()
    throw error
  }
  return { rounds: 1, accepted: [] }
}

const SECONDS = { train: 0, attribute: 0, upload: 0 }
