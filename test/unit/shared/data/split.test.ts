import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ExampleSet } from '../../../../shared/data/example-set.ts'
import { splitDataset } from '../../../../shared/data/split.ts'
import { countClasses } from '../../../../shared/data/subset.ts'

const TRAIN = setOf(Array.from({ length: 400 }, (_, i) => (3 * i) % 10))
const OPTIONS = {
  proxy: 50,
  clients: 5,
  partition: 'labels:2',
  examplesPerClient: null,
  seed: 7,
} as const

const options = fc.record({
  proxy: fc.nat(100),
  clients: fc.integer({ min: 1, max: 20 }),
  partition: fc.constantFrom('iid', 'labels:10', 'shards:2', 'dirichlet:0.1', 'quantity:0.5'),
  examplesPerClient: fc.option(fc.integer({ min: 1, max: 100 })),
  seed: fc.nat(),
})

describe('splitDataset', () => {
  it('should balance the proxy set and deal the rest', () => {
    const { proxy, clients } = splitDataset(TRAIN, OPTIONS)
    expect(countsOf(proxy)).toEqual(Array<number>(10).fill(5))
    expect(clients.map((part) => part.length)).toEqual([70, 70, 70, 70, 70])
    for (const part of clients)
      expect(countsOf(part).filter((count) => count > 0)).toEqual([35, 35])
  })

  it('should put no example in two places, and none nowhere while nothing is capped', () => {
    fc.assert(
      fc.property(options, (some) => {
        const { proxy, clients } = splitDataset(TRAIN, some)
        const all = [...proxy, ...clients.flatMap((part) => [...part])]
        expect(new Set(all).size).toBe(all.length)
        expect(proxy).toHaveLength(some.proxy)
        expect(clients).toHaveLength(some.clients)
        if (some.examplesPerClient === null) expect(all).toHaveLength(TRAIN.labels.length)
        for (const part of clients) {
          expect(part.length).toBeGreaterThan(0)
          expect(part.length).toBeLessThanOrEqual(some.examplesPerClient ?? Infinity)
        }
      }),
    )
  })

  it('should give the same split for the same seed and another for another', () => {
    fc.assert(
      fc.property(options, (some) => {
        expect(splitDataset(TRAIN, some)).toEqual(splitDataset(TRAIN, some))
      }),
      { numRuns: 20 },
    )
    const other = splitDataset(TRAIN, { ...OPTIONS, seed: 8 })
    expect(other.proxy).not.toEqual(splitDataset(TRAIN, OPTIONS).proxy)
  })

  it('should deal alike from one release to the next: machines of a run split by themselves', () => {
    const { proxy, clients } = splitDataset(TRAIN, {
      ...OPTIONS,
      proxy: 8,
      partition: 'dirichlet:0.3',
      examplesPerClient: 6,
    })
    expect([proxy, ...clients].map((part) => part.join(' '))).toMatchInlineSnapshot(`
      [
        "53 59 154 167 235 240 258 356",
        "71 218 225 226 256 386",
        "1 48 126 241 253 399",
        "28 78 90 195 215 340",
        "152 205 274 319 323 330",
        "67 69 102 130 197 287",
      ]
    `)
  })

  it('should keep the proxy set when only the partition changes', () => {
    const { proxy } = splitDataset(TRAIN, { ...OPTIONS, partition: 'iid', clients: 9 })
    expect(proxy).toEqual(splitDataset(TRAIN, OPTIONS).proxy)
  })

  it('should cap a client to a subset of its part with the same shares of classes', () => {
    const whole = splitDataset(TRAIN, OPTIONS)
    const capped = splitDataset(TRAIN, { ...OPTIONS, examplesPerClient: 20 })
    capped.clients.forEach((part, client) => {
      expect(countsOf(part).filter((count) => count > 0)).toEqual([10, 10])
      for (const index of part) expect(whole.clients[client]).toContain(index)
    })
  })

  it('should refuse a proxy set or a crowd that the examples do not suffice for', () => {
    expect(() => splitDataset(TRAIN, { ...OPTIONS, proxy: 401 })).toThrow(
      /401 examples cannot be drawn from 400.*GRAFT_PARTITION_INVALID/,
    )
    expect(() => splitDataset(TRAIN, { ...OPTIONS, proxy: 396, partition: 'iid' })).toThrow(
      /4 examples are too few for 5 clients.*GRAFT_PARTITION_INVALID/,
    )
    expect(() => splitDataset(TRAIN, { ...OPTIONS, examplesPerClient: 0 })).toThrow(
      /GRAFT_PARTITION_INVALID/,
    )
  })
})

// Helpers

function setOf(labels: number[]): ExampleSet {
  return {
    inputShape: [1],
    numClasses: 10,
    labels: Int32Array.from(labels),
    inputs: (indices) => new Float32Array(indices.length),
  }
}

const countsOf = (indices: Int32Array): number[] =>
  countClasses({ labels: indices.map((index) => TRAIN.labels[index]!), numClasses: 10 })
