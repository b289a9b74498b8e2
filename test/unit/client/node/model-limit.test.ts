import { describe, expect, it } from 'vitest'
import { assertSmallEnough, bytesOf } from '../../../../client/node/model-limit.ts'
import { loadDataset } from '../../../../shared/data/datasets.ts'
import { networkOf } from '../../../../shared/model/open-network.ts'

describe('what a client takes from a coordinator', () => {
  it('should be no model that is too large, though it is only named', () => {
    const network = networkOf('mlp:4-100000-2', { inputShape: [4], numClasses: 2 })
    expect(bytesOf(network)).toBe(4 * (4 * 100_000 + 100_000 + 2 * 100_000 + 2))
    expect(() => assertSmallEnough(bytesOf(network), 'The model', 1e6)).toThrow(
      expect.objectContaining({ code: 'GRAFT_MODEL_TOO_LARGE' }),
    )
    expect(() => assertSmallEnough(10, 'The model', 10)).not.toThrow()
  })

  it.each([
    '../../etc/passwd',
    '/etc/passwd',
    'file:///etc/passwd',
    'https://example.org/x',
    '__proto__',
  ])('should be no path for a data set: %s', async (name) => {
    await expect(loadDataset(name)).rejects.toMatchObject({ code: 'GRAFT_DATASET_UNKNOWN' })
  })
})
