import { createRng, type Rng } from '../../../shared/numeric/rng.ts'
import type { RunFacts } from '../run-facts.ts'
import type { MessageKind, Mutant } from './kind.ts'
import { MESSAGE_KINDS } from './kinds.ts'

/** Each kind as often as its weight, well mixed: every stretch of this length has all of them. */
function schedule(rng: Rng): MessageKind[] {
  const all = MESSAGE_KINDS.flatMap((kind) => new Array<MessageKind>(kind.weight ?? 1).fill(kind))
  return rng.shuffle(all)
}

export interface DrawnMessage {
  readonly kind: MessageKind
  readonly mutant: Mutant
}

/** The n-th message of a seed: the same one every time, whatever came before it. */
export function createMessageStream(seed: number, facts: RunFacts) {
  const kinds = schedule(createRng(`fuzz/${seed}/schedule`))
  return {
    /** Messages after which every kind has been drawn. */
    period: kinds.length,
    draw(index: number): DrawnMessage {
      const kind = kinds[index % kinds.length]!
      const mutant = kind.draw(createRng(`fuzz/${seed}/message/${index}`), facts, index)
      return { kind, mutant }
    },
  }
}
