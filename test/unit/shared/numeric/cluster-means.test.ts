import { describe, expect, it } from 'vitest'
import {
  meanMatrix,
  meansAt,
  nearestMeans,
  positiveWeights,
  refill,
} from '../../../../shared/numeric/cluster-means.ts'
import { lloyd } from '../../../../shared/numeric/lloyd.ts'
import { selfProduct, viewOf } from '../../../../shared/numeric/matmul64.ts'

describe('nearestMeans', () => {
  it('should take the first of equal centroids, though rounding tells them apart', () => {
    const points = Float64Array.of(0.1, 0.3, 0.1, 0.3, 7, 0.1)
    const gram = selfProduct(viewOf(points, 2))
    gram[4] = gram[4]! * (1 - Number.EPSILON)
    const weighted = { gram, weights: positiveWeights([1, 1, 1]) }
    const { assignment, squared } = nearestMeans(weighted, meansAt(weighted, [0, 1, 2]))
    expect([...assignment]).toEqual([0, 0, 2])
    expect(squared[2]).toBe(0)
  })
})

describe('refill', () => {
  it('should take the points of highest priority, none that is alone, none twice', () => {
    const assignment = Int32Array.of(0, 0, 0, 2, 2)
    refill(assignment, 5, Float64Array.of(1, 5, 4, 2, 3))
    expect([...assignment]).toEqual([0, 1, 3, 2, 4])
  })

  it('should leave clusters empty when every point is alone', () => {
    const assignment = Int32Array.of(1)
    refill(assignment, 3, Float64Array.of(1))
    expect([...assignment]).toEqual([1])
  })
})

describe('meanMatrix', () => {
  it('should weigh the points of each cluster, evenly where they have no weight', () => {
    const matrix = meanMatrix(Int32Array.of(0, 1, 0, 1), [1, 0, 3, 0], 2)
    expect([...matrix]).toEqual([0.25, 0, 0, 0.5, 0.75, 0, 0, 0.5])
  })
})

describe('lloyd', () => {
  it('should move the centroids to the weighted means of what is nearest', () => {
    const points = Float64Array.of(0, 1, 2, 10, 11, 12)
    const assignment = lloyd({
      gram: selfProduct(viewOf(points, 1)),
      weights: [1, 1, 1, 1, 1, 1],
      initial: [0, 1],
    })
    expect([...assignment]).toEqual([0, 0, 0, 1, 1, 1])
  })
})
