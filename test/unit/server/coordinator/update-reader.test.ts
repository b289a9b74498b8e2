import { createHash } from 'node:crypto'
import { describe, expect, it, vi } from 'vitest'
import { createUpdateReader } from '../../../../server/coordinator/update-reader.ts'
import type { BlobStore } from '../../../../server/store/store.ts'
import { BlobId, ClientId, RoundNumber } from '../../../../shared/ids.ts'
import {
  encodeUpdate,
  type ExpectedUpdate,
  type UpdateFacts,
} from '../../../../shared/protocol/update.ts'

const SHAPES = [
  { name: 'fc1.kernel', shape: [2, 2] },
  { name: 'fc1.bias', shape: [2] },
]
const EXPECTED: ExpectedUpdate = { weights: SHAPES, widths: [2], numClasses: 2 }
const RUN = { architecture: 'mlp:2-2', scorer: 'uniform' }
const WEIGHTS = [
  { ...SHAPES[0]!, data: Float32Array.of(1, 2, 3, 4) },
  { ...SHAPES[1]!, data: Float32Array.of(5, 6) },
]
const FACTS: UpdateFacts = {
  ...RUN,
  round: RoundNumber.parse(1),
  numExamples: 3,
  classCounts: [1, 2],
}
const ada = ClientId.parse('ada')

/** One update of ada's that comes in, and is then asked for. */
async function readBack({ cohortSize }: { cohortSize: number }) {
  const bytes = encodeUpdate({ ...FACTS, weights: WEIGHTS, scores: [] })
  const id = BlobId.parse(createHash('sha256').update(bytes).digest('hex'))
  const open = vi.fn<BlobStore['open']>(async () => ({
    sizeBytes: bytes.length,
    read: async (offset, target) => target.set(bytes.subarray(offset, offset + target.length)),
  }))
  const blobs = { open } as unknown as BlobStore
  const reader = createUpdateReader(EXPECTED, { ...RUN, cohortSize }, blobs)
  const inspection = reader.inspect({ sizeBytes: bytes.length })
  inspection.add(bytes)
  const seconds = { train: 0, attribute: 0, upload: 0 }
  const { round, numExamples } = FACTS
  const sizeBytes = bytes.length
  const blob = { id, sizeBytes }
  inspection.finish({ round, numExamples, classCounts: [1, 2], seconds, blob, path: '' })
  const update = { blob: id, numExamples, classCounts: [1, 2], seconds, sizeBytes }
  const read = async () => {
    const [parent] = await reader.scoredParents({ [ada]: update })
    return parent!.load()
  }
  return { open, first: await read(), readsOfFirst: open.mock.calls.length, second: await read() }
}

describe('scoredParents', () => {
  it('should give the weights that came in without reading them, once', async () => {
    const { open, first, readsOfFirst, second } = await readBack({ cohortSize: 2 })
    expect([first, second]).toEqual([WEIGHTS, WEIGHTS])
    expect(readsOfFirst).toBe(0)
    expect(open).toHaveBeenCalled()
  })

  it('should not hold the weights of a cohort that is too large for that', async () => {
    const { first, readsOfFirst } = await readBack({ cohortSize: 1_000_000 })
    expect(first).toEqual(WEIGHTS)
    expect(readsOfFirst).toBe(1)
  })
})
