import { describe, expect, it } from 'vitest'
import { shardData } from '../../../../client/node/shard-data.ts'
import { shardName } from '../../../../shared/data/shard.ts'
import type { Dataset } from '../../../../shared/data/example-set.ts'
import { blobExamples } from '../../../support/array-examples.ts'

const SHAPE = { inputShape: [2], numClasses: 2 }
const dataset: Dataset = {
  name: 'toy',
  train: blobExamples(SHAPE, 100, 'train'),
  test: blobExamples(SHAPE, 10, 'test'),
}
const settings = { dataset: 'toy', partition: 'iid', proxy: 20, examplesPerClient: null, seed: 1 }
const load = async () => dataset

describe('shardName', () => {
  it('should sort as the shards do', () => {
    expect(shardName({ index: 0, count: 2 })).toBe('client-0')
    const names = Array.from({ length: 101 }, (_, index) => shardName({ index, count: 101 }))
    expect(names.toSorted()).toEqual(names)
  })
})

describe('shardData', () => {
  it('should deal every example but the proxy set’s to one shard, and no example twice', async () => {
    const shards = await Promise.all(
      [0, 1, 2].map((index) => shardData({ index, count: 3 }, settings, { load })),
    )
    const seen = shards.flatMap(({ train }) =>
      Array.from(train.labels.keys(), (i) => train.inputs([i]).join()),
    )
    expect(seen).toHaveLength(80)
    expect(new Set(seen).size).toBe(80)
  })

  it('should keep as many examples as it is told', async () => {
    const limited = { ...settings, examplesPerClient: 7 }
    const { train } = await shardData({ index: 1, count: 3 }, limited, { load })
    expect(train.labels).toHaveLength(7)
  })

  it('should leave the official test split to the coordinator', async () => {
    const { train, judge } = await shardData({ index: 1, count: 3 }, settings, { load })
    expect(judge).toBe(train)
  })

  it('should refuse a shard that is not there', async () => {
    await expect(shardData({ index: 3, count: 3 }, settings, { load })).rejects.toMatchObject({
      code: 'GRAFT_OPTION_INVALID',
    })
  })
})
