import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parsePartition, partition } from '../../../../shared/data/partition.ts'
import { countClasses } from '../../../../shared/data/subset.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'

const NUM_CLASSES = 10
/** 10 classes of 60, in mixed order. */
const LABELS = Int32Array.from({ length: 600 }, (_, i) => (7 * i) % NUM_CLASSES)

describe('partition iid', () => {
  it('should deal sizes within 1 of each other', () => {
    expect(sizes(deal('iid', 7)).toSorted()).toEqual([85, 85, 86, 86, 86, 86, 86])
  })

  it('should mix the classes', () => {
    for (const counts of classCounts(deal('iid', 2))) {
      expect(Math.min(...counts)).toBeGreaterThan(15)
    }
  })
})

describe('partition labels:N', () => {
  it('should give each class to exactly one client when the classes just suffice', () => {
    const counts = classCounts(deal('labels:2', 5))
    for (const own of counts) expect(own.toSorted((a, b) => b - a).slice(0, 3)).toEqual([60, 60, 0])
    for (let c = 0; c < NUM_CLASSES; c++)
      expect(counts.filter((own) => own[c]! > 0)).toHaveLength(1)
  })

  it('should give every client N classes, deal classes evenly and divide them evenly', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10 }),
        fc.integer({ min: 1, max: 20 }),
        seeds,
        (n, clients, seed) => {
          const counts = classCounts(deal(`labels:${n}`, clients, seed))
          for (const own of counts) expect(own.filter((count) => count > 0)).toHaveLength(n)
          const owners = Array.from({ length: NUM_CLASSES }, (_, c) =>
            counts.map((own) => own[c]!).filter((count) => count > 0),
          )
          const numOwners = owners.map((shares) => shares.length)
          expect(Math.max(...numOwners) - Math.min(...numOwners)).toBeLessThanOrEqual(1)
          for (const shares of owners.filter(({ length }) => length > 0)) {
            expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1)
            expect(shares.reduce((a, b) => a + b, 0)).toBe(60)
          }
        },
      ),
    )
  })

  it('should refuse more classes than there are, saying what is allowed', () => {
    expect(() => deal('labels:11', 3)).toThrow(/labels:1 to labels:10.*GRAFT_PARTITION_INVALID/)
  })

  it('should refuse to divide a class among more owners than it has examples', () => {
    const few = { labels: Int32Array.of(0, 0, 0, 0, 0, 1), numClasses: 2 }
    expect(() => partition('labels:1', { ...few, clients: 4, rng: createRng('a') })).toThrow(
      /the 1 examples of class 1 among 2 of 4 clients.*GRAFT_PARTITION_INVALID/,
    )
  })
})

describe('partition shards:N', () => {
  it('should deal N whole runs of the sorted examples', () => {
    for (const own of classCounts(deal('shards:2', 5)))
      expect(own.toSorted((a, b) => b - a).slice(0, 3)).toEqual([60, 60, 0])
    for (const own of classCounts(deal('shards:2', 15)))
      expect(own.filter((count) => count > 0).length).toBeLessThanOrEqual(4)
  })

  it('should refuse more shards than examples', () => {
    expect(() => deal('shards:7', 100)).toThrow(/700 shards.*600 examples.*GRAFT_PARTITION_INVALID/)
  })
})

describe('partition dirichlet:ALPHA', () => {
  it('should give nearly the same counts to everyone for a large alpha', () => {
    for (const counts of classCounts(deal('dirichlet:100000', 6)))
      for (const count of counts) expect(Math.abs(count - 10)).toBeLessThanOrEqual(2)
  })

  it('should give each class to nearly one client for a small alpha', () => {
    const counts = classCounts(deal('dirichlet:0.001', 3))
    for (let c = 0; c < NUM_CLASSES; c++)
      expect(Math.max(...counts.map((own) => own[c]!))).toBeGreaterThan(50)
  })

  it('should draw the shares of a class from Dir(alpha)', () => {
    // Var of one of J shares of Dir(alpha): (1/J)(1 - 1/J) / (J alpha + 1).
    const shares = Array.from({ length: 200 }, (_, seed) => deal('dirichlet:0.5', 4, String(seed)))
      .flatMap((parts) => classCounts(parts).flat())
      .map((count) => count / 60)
    const variance = shares.reduce((sum, share) => sum + (share - 0.25) ** 2, 0) / shares.length
    expect(Math.abs(variance - 0.1875 / 3)).toBeLessThan(0.004)
  })
})

describe('partition quantity:ALPHA', () => {
  it('should vary sizes and keep the mix of classes', () => {
    const parts = deal('quantity:0.5', 4)
    expect(Math.max(...sizes(parts))).toBeGreaterThan(2 * Math.min(...sizes(parts)))
    const largest = classCounts(parts).toSorted((a, b) => sum(b) - sum(a))[0]!
    for (const count of largest) expect(Math.abs(count / sum(largest) - 0.1)).toBeLessThan(0.06)
  })
})

describe('partition sharded', () => {
  it('should deal whole classes, none twice', () => {
    const counts = classCounts(deal('sharded', 4))
    expect(counts.map((own) => own.filter((count) => count > 0).length).toSorted()).toEqual([
      2, 2, 3, 3,
    ])
    expect(counts.flat().every((count) => count === 0 || count === 60)).toBe(true)
  })

  it('should refuse more clients than classes', () => {
    expect(() => deal('sharded', 11)).toThrow(/10 whole classes.*11 clients.*PARTITION_INVALID/)
  })
})

describe('partition dirichlet-ordered', () => {
  it('should favour no client over all classes', () => {
    const first = Array.from({ length: 300 }, (_, seed) =>
      sizes(deal('dirichlet-ordered:0.2', 2, String(seed))),
    ).map((both) => both[0]! / 600)
    expect(Math.abs(sum(first) / first.length - 0.5)).toBeLessThan(0.03)
  })

  it('should divide a class between two clients with the means of alphas from 1 to 5', () => {
    const counts = Array.from({ length: 300 }, (_, seed) =>
      classCounts(deal('dirichlet-ordered:0.2', 2, String(seed))),
    ).flatMap((both) => both[0]!.map((count, c) => Math.max(count, both[1]![c]!) / 60))
    // E max(p, 1 - p) for p ~ Beta(1, 5), by integration: 1 - (0.14844 + 0.01302).
    expect(Math.abs(sum(counts) / counts.length - 0.8385)).toBeLessThan(0.01)
  })
})

describe.each([
  'iid',
  'labels:10',
  'shards:3',
  'dirichlet:0.01',
  'dirichlet:1',
  'quantity:0.05',
  'dirichlet-ordered',
])('partition %s', (text) => {
  it('should deal every example once and at least one to each client, the same for the same seed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), seeds, (clients, seed) => {
        const parts = deal(text, clients, seed)
        expect(parts).toHaveLength(clients)
        expect(Math.min(...sizes(parts))).toBeGreaterThan(0)
        expect(parts.flatMap((part) => [...part]).toSorted(byValue)).toEqual([...LABELS.keys()])
        for (const part of parts) expect([...part]).toEqual([...part].toSorted(byValue))
        expect(deal(text, clients, seed)).toEqual(parts)
      }),
      { numRuns: 25 },
    )
  })

  it('should deal otherwise for another seed', () => {
    expect(deal(text, 5, 'a')).not.toEqual(deal(text, 5, 'b'))
  })
})

describe('partition with one example a client', () => {
  it('should leave nobody without', () => {
    for (const text of ['iid', 'shards:1', 'dirichlet:0.01', 'quantity:0.01', 'dirichlet-ordered'])
      expect(sizes(deal(text, 600))).toEqual(Array<number>(600).fill(1))
  })

  it('should refuse more clients than examples, and fewer than 1', () => {
    expect(() => deal('iid', 601)).toThrow(/600 examples.*601 clients.*GRAFT_PARTITION_INVALID/)
    for (const clients of [0, -1, 1.5])
      expect(() => deal('iid', clients)).toThrow(/GRAFT_PARTITION_INVALID/)
  })
})

describe('parsePartition', () => {
  it.each([
    ['', /choose iid, labels:N, dirichlet:ALPHA, shards:N, quantity:ALPHA/],
    ['toString', /choose iid/],
    ['iid:3', /iid takes no number/],
    ['labels', /labels:N with a whole number from 1/],
    ['labels:', /a whole number from 1/],
    ['labels:0', /a whole number from 1/],
    ['labels:1.5', /a whole number from 1/],
    ['shards:two', /shards:N with a whole number from 1/],
    ['dirichlet:0', /dirichlet:ALPHA with a number above 0/],
    ['dirichlet:-0.1', /a number above 0/],
    ['dirichlet:Infinity', /a number above 0/],
    ['quantity:NaN', /a number above 0/],
    ['dirichlet-ordered:2', /at most 1/],
  ])('should refuse "%s" and say what is allowed', (text, message) => {
    expect(() => parsePartition(text)).toThrow(message)
    expect(() => parsePartition(text)).toThrow(/GRAFT_OPTION_INVALID/)
  })
})

// Helpers

const seeds = fc.string({ maxLength: 8 })
const byValue = (a: number, b: number) => a - b
const sizes = (parts: readonly Int32Array[]) => parts.map((part) => part.length)
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)

function deal(text: string, clients: number, seed = 'seed'): Int32Array[] {
  return partition(text, { labels: LABELS, numClasses: NUM_CLASSES, clients, rng: createRng(seed) })
}

function classCounts(parts: readonly Int32Array[]): number[][] {
  return parts.map((part) =>
    countClasses({ labels: part.map((i) => LABELS[i]!), numClasses: NUM_CLASSES }),
  )
}
