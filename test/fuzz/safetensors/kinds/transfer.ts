import type { Rng } from '../../../../shared/numeric/rng.ts'
import { hex, integer, pick } from '../../draw.ts'
import type { RunFacts } from '../../run-facts.ts'
import type { FileKind, Transfer } from '../kind.ts'

/** Files that are in order, but not what was said of them. */
export const transferKinds: readonly FileKind[] = [
  transfer('other SHA-256 than announced', (rng) => ({
    announced: { sha256: hex(rng, 64) },
    code: 'GRAFT_UPLOAD_CORRUPT',
  })),
  transfer('more bytes than announced', (rng, { file }) => ({
    announced: { sizeBytes: 1 + integer(rng, file.length - 1) },
    code: 'GRAFT_UPLOAD_TOO_LARGE',
  })),
  transfer('committed too early', (rng, { file }) => ({
    sentBytes: integer(rng, file.length),
    code: 'GRAFT_UPLOAD_UNKNOWN',
  })),
  transfer('committed for another round', (rng) => ({
    committed: { round: pick(rng, [0, 2, 2 ** 40]) },
    code: 'GRAFT_UPLOAD_UNKNOWN',
  })),
  transfer('other examples committed than in the file', (rng) => ({
    committed: pick(rng, [
      { numExamples: pick(rng, [1, 9, 11, 2 ** 53 - 1]) },
      { classCounts: pick(rng, [[1, 2, 3, 4], [4, 3, 2], [4, 3, 2, 1, 0], [10]]) },
    ]),
    code: 'GRAFT_MESSAGE_INVALID',
  })),
]

/** Valid, and no other file's: what is left of one upload must not be the beginning of the next. */
function withOtherWeight(file: Uint8Array, rng: Rng): Uint8Array {
  const other = Uint8Array.from(file)
  const view = new DataView(other.buffer)
  view.setFloat32(8 + Number(view.getBigUint64(0, true)), rng.next(), true)
  return other
}

function transfer(name: string, make: (rng: Rng, facts: RunFacts) => Transfer): FileKind {
  return {
    group: 'transfer',
    name,
    draw: (rng, facts) => ({ bytes: withOtherWeight(facts.file, rng), transfer: make(rng, facts) }),
  }
}
