import { describe, expect, it } from 'vitest'
import { createBlows } from '../../chaos/blows.ts'
import { CLIENT_PHASES, type ClientKill, drawPlan, isDue, MOMENTS } from '../../chaos/plan.ts'

const SIZE = {
  clients: 3,
  rounds: 4,
  coordinatorKills: 10,
  clientKills: 20,
  updateBytes: 1000,
}

describe('drawPlan', () => {
  it('should draw the same plan for the same seed, and another one for another', () => {
    expect(drawPlan('a', SIZE)).toEqual(drawPlan('a', SIZE))
    expect(drawPlan('a', SIZE)).not.toEqual(drawPlan('b', SIZE))
  })

  it('should strike at every moment before it strikes at one again, in the order of the run', () => {
    const { coordinatorKills } = drawPlan('a', { ...SIZE, coordinatorKills: MOMENTS.length })
    expect(new Set(coordinatorKills.map(({ stage }) => stage))).toEqual(new Set(MOMENTS))
    const [first, ...others] = coordinatorKills
    let before = first!
    for (const kill of others) {
      expect(isDue(before, kill, MOMENTS)).toBe(true)
      before = kill
    }
  })

  it('should deal out the kills of clients', () => {
    expect(drawPlan('a', SIZE).clientKills.map(({ length }) => length)).toEqual([7, 7, 6])
  })
})

describe('createBlows', () => {
  it('should strike once each, when its place is reached or passed, and when rearmed', () => {
    const kills: ClientKill[] = [
      { round: 1, stage: 'training', delayMs: 0, how: 'client' },
      { round: 1, stage: 'accepted', delayMs: 0, how: 'process' },
    ]
    const struck: string[] = []
    const blows = createBlows(kills, CLIENT_PHASES, ({ how }) => void struck.push(how))
    blows.see({ round: 1, stage: 'pulling' })
    expect(struck).toEqual([])
    blows.see({ round: 1, stage: 'uploading' })
    blows.see({ round: 1, stage: 'accepted' })
    expect(struck).toEqual(['client'])
    blows.rearm()
    blows.see({ round: 2, stage: 'pulling' })
    expect(struck).toEqual(['client', 'process'])
    blows.see({ round: 2, stage: 'training' })
    expect(struck).toHaveLength(2)
  })
})
