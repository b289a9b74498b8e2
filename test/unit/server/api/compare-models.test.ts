import { describe, expect, it } from 'vitest'
import { compareModels } from '../../../../server/api/compare-models.ts'
import { encodeSafetensors } from '../../../../shared/model/safetensors.ts'

const fileOf = (values: number[], shape = [values.length]) =>
  encodeSafetensors([{ name: 'w', shape, data: Float32Array.from(values) }], {})

describe('compareModels', () => {
  it('should say how far weights are apart, and whether they point the same way', () => {
    const { tensors } = compareModels(fileOf([3, 4]), fileOf([3, 0]))
    expect(tensors).toEqual([{ name: 'w', shape: [2], distance: 0.8, cosine: 0.6 }])
    expect(compareModels(fileOf([1, 2]), fileOf([-2, -4])).tensors[0]).toMatchObject({ cosine: -1 })
    expect(compareModels(fileOf([0]), fileOf([2])).tensors[0]).toMatchObject({
      distance: 2,
      cosine: null,
    })
  })

  it('should compare no weights of other shapes', () => {
    const other = compareModels(fileOf([1, 2]), fileOf([1, 2], [1, 2]))
    expect(other).toEqual({ isSameShape: false, tensors: [] })
  })
})
