import { createRng } from '../../../shared/numeric/rng.ts'
import type { RunFacts } from '../run-facts.ts'
import type { BadFile, FileKind } from './kind.ts'
import { FILE_KINDS } from './kinds.ts'

/** The n-th file of a seed: the same one every time. The kinds take turns. */
export function drawFile(
  seed: number,
  index: number,
  facts: RunFacts,
): { kind: FileKind; file: BadFile } {
  const kind = FILE_KINDS[index % FILE_KINDS.length]!
  return { kind, file: kind.draw(createRng(`fuzz/${seed}/file/${index}`), facts) }
}
