import { describe, expect, it } from 'vitest'
import { magnitudes } from '../../../../server/fusion/importance.ts'
import type { NamedTensor } from '../../../../shared/model/weights.ts'
import { convLevels, denseLevels } from '../../../support/plain-networks.ts'

describe('magnitudes', () => {
  const dense = byName([
    tensor('fc1.kernel', [1, 2], [3, -1]),
    tensor('fc1.bias', [2], [100, 100]),
    tensor('fc2.kernel', [2, 2], [1, -2, 0, 4]),
  ])

  it('should be the mean over kernel and reader of the sums of squares, biases aside', () => {
    expect([...magnitudes(dense, denseLevels([1, 2, 2])[0]!, 'l2')]).toEqual([
      (9 + 1 + 4) / 2,
      (1 + 16) / 2,
    ])
  })

  it('should sum magnitudes for l1', () => {
    expect([...magnitudes(dense, denseLevels([1, 2, 2])[0]!, 'l1')]).toEqual([
      (3 + 1 + 2) / 2,
      (1 + 4) / 2,
    ])
  })

  it('should count gamma as a third member, and every row that reads a flattened channel', () => {
    const weights = byName([
      tensor('conv1.kernel', [3, 3, 1, 2], new Array<number>(18).fill(0).with(0, 2).with(1, 3)),
      tensor('bn1.gamma', [2], [5, 7]),
      ...['beta', 'movingMean', 'movingVariance'].map((role) => tensor(`bn1.${role}`, [2], [9, 9])),
      // Two positions of two channels: rows 0 and 2 read channel 0, rows 1 and 3 channel 1.
      tensor('fc1.kernel', [4, 1], [1, 10, 2, 20]),
    ])
    expect([...magnitudes(weights, convLevels([1, 2, 1], 2)[0]!, 'l2')]).toEqual([
      (4 + 25 + 1 + 4) / 3,
      (9 + 49 + 100 + 400) / 3,
    ])
  })
})

// Helpers

const tensor = (name: string, shape: number[], values: number[]): NamedTensor => ({
  name,
  shape,
  data: Float32Array.from(values),
})

const byName = (tensors: NamedTensor[]) => new Map(tensors.map((of) => [of.name, of]))
