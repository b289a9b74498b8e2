import { isDeepStrictEqual } from 'node:util'
import { GraftError } from '../../shared/errors.ts'
import { ClientId, RoundNumber } from '../../shared/ids.ts'
import type { Weights } from '../../shared/model/weights.ts'
import {
  decodeUpdate,
  encodeUpdate,
  type ExpectedUpdate,
  type Update,
} from '../../shared/protocol/update.ts'
import type { Parent } from '../fusion/strategy.ts'
import type { ReceivedUpdate } from '../gateway/gateway.ts'
import type { BlobStore } from '../store/store.ts'
import { clientsOf, type Updates } from './round-state.ts'

/** Updates of one run: files of strangers until they have been checked, parents of a fusion after that. */
export interface UpdateReader {
  /** Size of the largest update of the run's network. */
  readonly maxBytes: number
  /** @throws GraftError when these bytes are no update of this run */
  readonly check: (bytes: Uint8Array, received: ReceivedUpdate) => void
  /**
   * What a file says of itself, whatever was announced with it.
   * @throws GraftError when it is not finite, or not of the run's shape
   */
  readonly read: (bytes: Uint8Array) => Update
  /** In id order; their weights are read from disk when they are asked for. */
  readonly parents: (updates: Updates) => Parent[]
  /** With the scores that only fusion asks for; one upload is in memory at a time, its scores stay. */
  readonly scoredParents: (updates: Updates) => Promise<Parent[]>
}

/** What each update of a run must say of itself. */
export interface RunFacts {
  /** Name of the run's network. */
  readonly architecture: string
  readonly scorer: string
}

export function createUpdateReader(
  expected: ExpectedUpdate & { readonly weights: Weights },
  facts: RunFacts,
  blobs: BlobStore,
): UpdateReader {
  function parents(updates: Updates): Parent[] {
    return clientsOf(updates).map((id) => {
      const { blob, numExamples, classCounts } = updates[id]!
      const load = async () => decodeUpdate(await blobs.get(blob), expected).weights
      return { id, numExamples, classCounts, scores: [], load }
    })
  }

  async function scoredParents(updates: Updates): Promise<Parent[]> {
    const scored: Parent[] = []
    for (const parent of parents(updates)) {
      const { blob } = updates[ClientId.parse(parent.id)]!
      scored.push({ ...parent, scores: decodeUpdate(await blobs.get(blob), expected).scores })
    }
    return scored
  }

  return {
    maxBytes: largestUpdate(expected, facts.architecture),
    parents,
    scoredParents,
    read: (bytes) => decodeUpdate(bytes, expected),

    check(bytes, received) {
      const update = decodeUpdate(bytes, expected)
      const announced = {
        round: received.round,
        ...facts,
        numExamples: received.numExamples,
        classCounts: received.classCounts,
      }
      for (const [field, value] of Object.entries(announced)) {
        const found = update[field as keyof typeof announced]
        if (isDeepStrictEqual(found, value)) continue
        const problem = `The update says ${field} ${JSON.stringify(found)}, not ${JSON.stringify(value)}.`
        throw new GraftError('GRAFT_MESSAGE_INVALID', problem)
      }
    },
  }
}

function largestUpdate(
  expected: ExpectedUpdate & { readonly weights: Weights },
  architecture: string,
): number {
  const most = Number.MAX_SAFE_INTEGER
  const update = encodeUpdate({
    round: RoundNumber.parse(most),
    architecture,
    numExamples: most,
    classCounts: Array.from({ length: expected.numClasses }, () => most),
    scorer: 'x'.repeat(64),
    weights: expected.weights,
    scores: expected.widths.map((width) => new Float32Array(width)),
  })
  return update.byteLength
}
