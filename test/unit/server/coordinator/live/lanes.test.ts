import { describe, expect, it } from 'vitest'
import { createLanes } from '../../../../../server/coordinator/live/lanes.ts'
import { ClientId } from '../../../../../shared/ids.ts'
import { ClientLane } from '../../../../../shared/protocol/operator/live.ts'

const [ada, bob] = ['ada', 'bob'].map((name) => ClientId.parse(name)) as [ClientId, ClientId]

describe('createLanes', () => {
  it('should list clients by their ids, as the schema has them', () => {
    const lanes = createLanes()
    lanes.restart([bob, ada])
    lanes.tell(bob, { state: 'training', done: 0.5, loss: 0.3 })
    const listed = lanes.list((client) => client === bob)
    expect(listed.map((lane) => ClientLane.parse(lane))).toMatchObject([
      { client: ada, state: 'ready', isInCohort: false, losses: [] },
      { client: bob, state: 'training', done: 0.5, losses: [0.3], isInCohort: true },
    ])
  })

  it('should not let an accepted client fall back by what comes too late', () => {
    const lanes = createLanes()
    const stateOf = () => lanes.list(() => true)[0]?.state
    lanes.tell(ada, { state: 'uploading', receivedBytes: 5, sizeBytes: 9 })
    lanes.tell(ada, { state: 'accepted' })
    lanes.tell(ada, { state: 'uploading', done: 1 })
    expect(stateOf()).toBe('accepted')
    lanes.tell(ada, { state: 'away' })
    expect(stateOf()).toBe('away')
    lanes.tell(ada, { state: 'ready' })
    expect(stateOf()).toBe('accepted')
    lanes.tell(ada, { state: 'evaluating' })
    expect(stateOf()).toBe('evaluating')
  })

  it('should keep a client at work that is invited again', () => {
    const lanes = createLanes()
    lanes.tell(ada, { state: 'training', done: 0.5 })
    lanes.tell(ada, { state: 'invited' })
    expect(lanes.list(() => true)).toMatchObject([{ state: 'training', done: 0.5 }])
  })

  it('should say why an update was set aside, until one is accepted', () => {
    const lanes = createLanes()
    lanes.tell(ada, { state: 'quarantined', problem: 'NaN' })
    expect(lanes.list(() => true)).toMatchObject([{ state: 'quarantined', problem: 'NaN' }])
    lanes.tell(ada, { state: 'accepted' })
    expect(lanes.list(() => true)).toMatchObject([{ problem: null }])
  })
})
