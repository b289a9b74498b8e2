import * as tf from '@tensorflow/tfjs'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { kMeans, kMeansOfGram, type KMeansOptions } from '../../../../shared/numeric/k-means.ts'
import { selfProduct, viewOf } from '../../../../shared/numeric/matmul64.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectNoLeakAsync } from '../../../support/expect-no-leak.ts'

beforeAll(() => startTestEngine())

describe('kMeans', () => {
  it('should find groups that lie apart, and be the same for a seed', async () => {
    const dim = 5
    const points = Float32Array.from({ length: 60 * dim }, (_, at) => {
      const [i, k] = [Math.floor(at / dim), at % dim]
      return (i % 4 === k ? 10 : 0) + noise(at)
    })
    const x = tf.tensor2d(points, [60, dim])
    const options = { weights: new Float32Array(60).fill(1), clusters: 4 }
    const first = await kMeans(x, { ...options, rng: createRng('a') })
    const again = await kMeans(x, { ...options, rng: createRng('a') })
    x.dispose()
    expect(again).toEqual(first)
    first.assignment.forEach((c, i) => expect(c).toBe(first.assignment[i % 4]))
    expect(new Set(first.assignment).size).toBe(4)
  })

  it('should not leak', async () => {
    const x = tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2])
    const weights = [1, 1, 1]
    await expectNoLeakAsync(() => kMeans(x, { weights, clusters: 2, rng: createRng('a') }))
    x.dispose()
  })
})

describe('kMeansOfGram', () => {
  it('should report sum s sqrt(r^2 + |x - nearest centroid|^2), with no cluster empty', () => {
    fc.assert(
      fc.property(problems(), ({ points, dim, options }) => {
        const clustering = kMeansOfGram(gramOf(points, dim), options)
        expect(new Set(clustering.assignment).size).toBe(options.clusters)
        const expected = slowObjective(points, dim, options, clustering.assignment)
        expect(clustering.objective).toBeCloseTo(expected, 5)
      }),
    )
  })

  it('should be within 3 % of the best partition, by distances to own centroids', () => {
    for (const seed of ['a', 'b', 'c', 'd']) {
      const [count, dim] = [8, 2]
      const points = Float64Array.from({ length: count * dim }, (_, at) => noise(at, seed))
      const weights = Float64Array.from({ length: count }, (_, i) => noise(i, 'w') + 0.6)
      const options = { weights, clusters: 3, rng: createRng(seed) }
      const { objective } = kMeansOfGram(gramOf(points, dim), options)
      let best = Infinity
      for (let code = 0; code < 3 ** count; code++) {
        const assignment = Int32Array.from(
          { length: count },
          (_, i) => Math.floor(code / 3 ** i) % 3,
        )
        if (new Set(assignment).size === 3)
          best = Math.min(best, ownCost(points, dim, options, assignment))
      }
      expect(objective).toBeLessThanOrEqual(best * 1.03)
    }
  })

  it('should never be worse than a start it was given', () => {
    const [count, dim, clusters] = [80, 6, 16]
    const points = Float64Array.from({ length: count * dim }, (_, at) => noise(at, 'start'))
    const weights = new Float64Array(count).fill(1)
    const gram = gramOf(points, dim)
    const good = kMeansOfGram(gram, { weights, clusters, rng: createRng('a'), restarts: 20 })
    const start = Int32Array.from({ length: clusters }, (_, c) => good.assignment.indexOf(c))
    const rng = createRng('b')
    const alone = kMeansOfGram(gram, { weights, clusters, rng, starts: [start], restarts: 0 })
    const more = kMeansOfGram(gram, { weights, clusters, rng, starts: [start], restarts: 4 })
    const random = kMeansOfGram(gram, { weights, clusters, rng, restarts: 1 })
    expect(more.objective).toBeLessThanOrEqual(alone.objective)
    expect(good.objective).toBeLessThan(random.objective)
  })

  it('should give each of equal points a cluster when there are as many clusters', () => {
    const { assignment, objective } = kMeansOfGram(new Float64Array(9).fill(4), {
      weights: [1, 2, 0],
      clusters: 3,
      rng: createRng('a'),
    })
    expect([...assignment].sort()).toEqual([0, 1, 2])
    expect(objective).toBe(0)
  })

  it('should use plain means where all weights are 0', () => {
    const points = Float64Array.of(0, 1, 10, 12)
    const options = { weights: [0, 0, 0, 0], clusters: 2, rng: createRng('a') }
    const { assignment, objective } = kMeansOfGram(gramOf(points, 1), options)
    expect(assignment[0]).toBe(assignment[1])
    expect(assignment[2]).toBe(assignment[3])
    expect(objective).toBe(0)
  })

  it('should do with weights that no product keeps', () => {
    const points = Float64Array.of(0, 1, 10, 12)
    const weights = [5e-324, 0, 5e-324, 0]
    const options = { weights, clusters: 2, rng: createRng('a') }
    const { assignment } = kMeansOfGram(gramOf(points, 1), options)
    expect([...assignment.subarray(0, 2)]).toEqual(new Array(2).fill(assignment[0]))
    expect([...assignment.subarray(2)]).toEqual(new Array(2).fill(assignment[2]))
  })

  it('should refuse what does not belong together', () => {
    const rng = createRng('a')
    const gram = new Float64Array(4)
    const weights = [1, 1]
    expect(() => kMeansOfGram(gram, { weights, clusters: 3, rng })).toThrow('3 clusters')
    expect(() => kMeansOfGram(gram, { weights, clusters: 0, rng })).toThrow(RangeError)
    expect(() => kMeansOfGram(gram, { weights: [1], clusters: 1, rng })).toThrow('1 weights')
    expect(() => kMeansOfGram(gram, { weights: [1, -1], clusters: 1, rng })).toThrow(
      'Weight 1 is -1',
    )
    expect(() => kMeansOfGram(gram, { weights, offsets: [0, -1], clusters: 1, rng })).toThrow(
      'Offsets',
    )
    expect(() => kMeansOfGram(gram, { weights, clusters: 1, rng, starts: [[0, 1]] })).toThrow(
      '2 centres',
    )
  })
})

// Helpers

function noise(at: number, seed = ''): number {
  return createRng(`${seed} ${at}`).next() - 0.5
}

function problems() {
  const value = fc.double({ min: -3, max: 3, noNaN: true })
  const weight = fc.oneof(
    fc.constant(0),
    fc.constant(1e-8),
    fc.double({ min: 0, max: 5, noNaN: true }),
  )
  return fc
    .record({
      count: fc.integer({ min: 1, max: 14 }),
      dim: fc.integer({ min: 1, max: 3 }),
      part: fc.double({ min: 0, max: 0.999, noNaN: true }),
      seed: fc.string(),
    })
    .chain(({ count, dim, part, seed }) => {
      const several = <T>(item: fc.Arbitrary<T>, length: number) =>
        fc.array(item, { minLength: length, maxLength: length })
      return fc.record({
        dim: fc.constant(dim),
        points: several(value, count * dim).map((values) => Float64Array.from(values)),
        options: fc.record({
          weights: several(weight, count),
          offsets: several(fc.double({ min: 0, max: 1, noNaN: true }), count),
          clusters: fc.constant(1 + Math.floor(part * count)),
          rng: fc.constant(createRng(seed)),
          restarts: fc.constant(3),
        }),
      })
    })
}

function gramOf(points: Float64Array, dim: number): Float64Array {
  return selfProduct(viewOf(points, dim))
}

function slowObjective(
  points: Float64Array,
  dim: number,
  options: KMeansOptions,
  assignment: Int32Array,
): number {
  const distances = slowDistances(points, dim, options, assignment)
  return distances.reduce((sum, row, i) => sum + options.weights[i]! * Math.min(...row), 0)
}

function ownCost(
  points: Float64Array,
  dim: number,
  options: KMeansOptions,
  assignment: Int32Array,
): number {
  const distances = slowDistances(points, dim, options, assignment)
  return distances.reduce((sum, row, i) => sum + options.weights[i]! * row[assignment[i]!]!, 0)
}

/** sqrt(r_i^2 + |x_i - centroid c|^2), by point and cluster. */
function slowDistances(
  points: Float64Array,
  dim: number,
  { weights, offsets, clusters }: KMeansOptions,
  assignment: Int32Array,
): number[][] {
  const point = (i: number) => points.subarray(i * dim, (i + 1) * dim)
  const centroids = Array.from({ length: clusters }, (_, c) => {
    const group = [...assignment.keys()].filter((i) => assignment[i] === c)
    const sum = group.reduce((total, i) => total + weights[i]!, 0)
    const share = (i: number) => (sum > 0 ? weights[i]! / sum : 1 / group.length)
    return Float64Array.from({ length: dim }, (_, k) =>
      group.reduce((mean, i) => mean + share(i) * point(i)[k]!, 0),
    )
  })
  return Array.from(assignment, (_, i) =>
    centroids.map((centroid) => {
      const squared = centroid.reduce((sum, value, k) => sum + (value - point(i)[k]!) ** 2, 0)
      return Math.sqrt((offsets?.[i] ?? 0) + squared)
    }),
  )
}
