import { describe, expect, it } from 'vitest'
import { runInLanes } from '../../../../shared/command/run-lanes.ts'

const RUNS = [1, 1, 1, 2, 2].map((seed, place) => ({ seed, place }))
const groupOf = ({ seed }: { seed: number }) => seed
const never = new AbortController().signal

describe('runInLanes', () => {
  it('should let the first run of a group end before the others of it begin', async () => {
    const running = new Set<number>()
    const ended = new Set<number>()
    let most = 0
    const results = await runInLanes(RUNS, {
      lanes: 3,
      groupOf,
      signal: never,
      act: async ({ seed, place }) => {
        const first = seed === 1 ? 0 : 3
        if (place !== first) expect(ended).toContain(first)
        running.add(place)
        most = Math.max(most, running.size)
        for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
        running.delete(place)
        ended.add(place)
        return place
      },
    })
    expect(results).toEqual([0, 1, 2, 3, 4])
    expect(most).toBe(3)
  })

  it('should let all begin where there are no groups', async () => {
    let running = 0
    const act = async () => {
      running++
      while (running < RUNS.length) await new Promise(setImmediate)
    }
    await runInLanes(RUNS, { lanes: RUNS.length, signal: never, act })
    expect(running).toBe(RUNS.length)
  })

  it('should do one behind the other in one lane', async () => {
    const order: number[] = []
    const act = async ({ place }: { place: number }) => void order.push(place)
    await runInLanes(RUNS, { lanes: 1, groupOf, signal: never, act })
    expect(order).toEqual([0, 1, 2, 3, 4])
  })

  it('should stop the others when one fails, and begin no more', async () => {
    const begun: number[] = []
    const stopped: number[] = []
    const runs = runInLanes(RUNS, {
      lanes: 2,
      groupOf,
      signal: never,
      act: async ({ place }, signal) => {
        begun.push(place)
        if (place === 0) {
          await new Promise(setImmediate)
          throw new Error('broken')
        }
        await new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => resolve())
        })
        stopped.push(place)
        return place
      },
    })
    await expect(runs).rejects.toThrow('broken')
    expect(begun).toEqual([0, 3])
    expect(stopped).toEqual([3])
  })
})
