import { describe, expect, it } from 'vitest'
import { judgeSoak, type SoakSample } from '../../soak/verdict.ts'

const SAMPLES = Array.from({ length: 40 }, (_, index) => index + 1)

const soakOf = (each: (at: number) => Partial<SoakSample>): SoakSample[] =>
  SAMPLES.map((at) => ({
    type: 'sample',
    ...{ minutes: at / 2, rounds: 10 * at, residentMb: 200 + 5 * Math.sin(at), heapMb: 40 },
    ...{ peakRssMb: 220, resources: { Timeout: 9 }, openFiles: 60, longestBlockMs: 10 },
    ...each(at),
  }))

const failed = (samples: readonly SoakSample[]): string[] =>
  judgeSoak(samples).flatMap(({ invariant, isOk }) => (isOk ? [] : [invariant]))

describe('judgeSoak', () => {
  it('should accept a process that warms up and then stays as it is', () => {
    expect(failed(soakOf((at) => ({ residentMb: at < 5 ? 100 : 205 })))).toEqual([])
    const slow = (at: number) => ({ rounds: 6 * at, residentMb: at < 17 ? 100 + 6 * at : 205 })
    expect(failed(soakOf(slow))).toEqual([])
  })

  it.each([
    ['what is alive on the heap stays flat', (at: number) => ({ heapMb: 40 + at / 2 })],
    ['resident memory stays flat', (at: number) => ({ residentMb: 200 + at })],
    ['the number of open files and sockets stays flat', (at: number) => ({ openFiles: 60 + at })],
    ['the number of timers stays flat', (at: number) => ({ resources: { Timeout: 9 + at } })],
    ['rounds go on to the end', (at: number) => ({ rounds: Math.min(10 * at, 200) })],
  ])('should find when it is not so that %s', (invariant, each) => {
    expect(failed(soakOf(each))).toEqual([invariant])
  })

  it('should judge nothing by too little', () => {
    expect(failed([])).toEqual(['there is enough to judge by'])
    expect(failed(soakOf(() => ({})).slice(0, 1))).toEqual(['there is enough to judge by'])
    // Warm when it is nearly over.
    const late = soakOf((at) => ({ rounds: 3 * at }))
    expect(failed(late)).toEqual(['there is enough to judge by'])
  })
})
