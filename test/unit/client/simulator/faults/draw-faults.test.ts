import { describe, expect, it } from 'vitest'
import { drawFaults } from '../../../../../client/simulator/faults/draw-faults.ts'
import { ClientId } from '../../../../../shared/ids.ts'
import { FaultPlan } from '../../../../../shared/protocol/fault-plan.ts'

const ada = ClientId.parse('ada')
const bob = ClientId.parse('bob')
const kinds = (plan: object, client: ClientId, round: number, seed = 7) =>
  drawFaults(FaultPlan.parse(plan), { client, round, seed }).map(({ fault }) => fault)

describe('drawFaults', () => {
  it('should strike the clients and rounds that the plan names', () => {
    const faults = [
      { fault: 'slow', factor: 2, clients: ['ada'], rounds: [1, 3] },
      { fault: 'late', seconds: 1, clients: ['bob'] },
      { fault: 'corrupt', how: 'nan', rounds: [3] },
    ]
    expect(kinds({ faults }, ada, 1)).toEqual(['slow'])
    expect(kinds({ faults }, ada, 2)).toEqual([])
    expect(kinds({ faults }, ada, 3)).toEqual(['slow', 'corrupt'])
    expect(kinds({ faults }, bob, 0)).toEqual(['late'])
    expect(kinds({ faults }, ada, 0)).toEqual([])
  })

  it('should draw the same again, of the seed, the client and the round alone', () => {
    const faults = [{ fault: 'delay', seconds: 1, probability: 0.3 }]
    const drawn = (plan: object, seed: number) =>
      Array.from({ length: 400 }, (_, round) => kinds(plan, ada, round + 1, seed).length)
    const first = drawn({ faults }, 7)
    expect(drawn({ faults }, 7)).toEqual(first)
    expect(drawn({ faults }, 8)).not.toEqual(first)
    expect(drawn({ seed: 7, faults }, 8)).toEqual(first)
    const share = first.reduce((sum, each) => sum + each, 0) / first.length
    // Four standard deviations.
    expect(Math.abs(share - 0.3)).toBeLessThan(0.1)
  })
})
