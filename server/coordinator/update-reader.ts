import { isDeepStrictEqual } from 'node:util'
import { GraftError } from '../../shared/errors.ts'
import { BlobId, type ClientId, RoundNumber } from '../../shared/ids.ts'
import { type Encoding, isDelta } from '../../shared/model/encodings.ts'
import { readerOfClientModel, sumOf } from '../../shared/model/stored-weights.ts'
import { readAll, type WeightReader } from '../../shared/model/weight-reader.ts'
import type { Weights } from '../../shared/model/weights.ts'
import type { UpdateBegin } from '../../shared/protocol/messages.ts'
import {
  decodeUpdate,
  type ExpectedUpdate,
  measureUpdate,
  openUpdate,
  type OpenUpdate,
  type Update,
  type UpdateFacts,
} from '../../shared/protocol/update.ts'
import type { Parent } from '../fusion/strategy.ts'
import type { Inspection, ReceivedUpdate } from '../gateway/gateway.ts'
import { openModelFile } from '../store/open-model-file.ts'
import type { BlobStore } from '../store/store.ts'
import { inspectUpdate } from './inspect-update.ts'
import { once } from './once.ts'
import { clientsOf, type Updates } from './round-state.ts'

/** Updates of one run: files of strangers until they have been checked, parents of a fusion after that. */
export interface UpdateReader {
  /** Size of the largest update of the run's network. */
  readonly maxBytes: number
  /** Refuses, at its end, what is no update of this run. */
  readonly inspect: (announced: AnnouncedUpdate) => Inspection
  /**
   * What a file says of itself, whatever was announced with it.
   * @throws GraftError when it is not finite, or not of the run's shape
   */
  readonly read: (bytes: Uint8Array) => Update
  /** In id order; their weights are read from disk when they are asked for. */
  readonly parents: (updates: Updates) => Parent[]
  /** With the scores that only fusion asks for. Weights of a cohort that is small enough are those that came in. */
  readonly scoredParents: (updates: Updates) => Promise<Parent[]>
}

/** What is known of an update before its first byte. */
export interface AnnouncedUpdate extends Pick<UpdateBegin, 'sizeBytes'> {
  /** What its weights must be differences to, where they are. */
  readonly base?: BlobId | undefined
}

/** What each update of a run must say of itself. */
export interface RunFacts {
  /** Name of the run's network. */
  readonly architecture: string
  readonly scorer: string
}

/** Updates of a round that stay in memory until they are fused, all together: none of them is read from disk. */
const KEPT_BYTES = 64 << 20

/** Whether the updates of a cohort, so many bytes, stay in memory as they come in. */
export const keepsUpdates = (bytes: number, encoding: Encoding = 'float32'): boolean =>
  encoding === 'float32' && bytes <= KEPT_BYTES

/** What came in with an update, and is asked for when it is fused. */
interface KeptUpdate {
  readonly scores: readonly Float32Array[]
  readonly weights: Weights | null
}

/** @param cohortSize clients that a round invites */
export function createUpdateReader(
  expected: ExpectedUpdate,
  { cohortSize, ...runFacts }: RunFacts & { readonly cohortSize: number },
  blobs: BlobStore,
): UpdateReader {
  const largest = measureUpdate(longestFacts(expected, runFacts), expected)
  /** Of updates that came to this process since the last fusion: the others are on disk. */
  const kept = new Map<BlobId, KeptUpdate>()
  const { encoding = 'float32' } = expected
  const keepsWeights = keepsUpdates(cohortSize * largest.sizeBytes, encoding)
  let latest: { readonly base: BlobId; readonly reader: Promise<WeightReader> } | undefined

  async function openStored({ blob }: Pick<AcceptedUpdate, 'blob'>): Promise<OpenUpdate> {
    return openUpdate(await openModelFile(blobs, blob), expected)
  }

  /** An opened update was verified; it is opened once for all who read this parent. */
  function parentOf(id: ClientId, update: AcceptedUpdate): StoredParent {
    const { numExamples, classCounts } = update
    const opened = once(() => openStored(update))
    const open = once(async () => {
      const { weights, base } = await opened()
      return base === undefined ? weights : sumOf(weights, await baseWeights(base))
    })
    const known = { id, numExamples, classCounts, scores: [], widths: expected.widths }
    const parent = { ...known, open, load: async () => readAll(await open()) }
    return { parent, scores: async () => (await opened()).scores() }
  }

  function storedParents(updates: Updates): (StoredParent & { readonly blob: BlobId })[] {
    return clientsOf(updates).map((id) => {
      return { ...parentOf(id, updates[id]!), blob: updates[id]!.blob }
    })
  }

  async function scoredParents(updates: Updates): Promise<Parent[]> {
    const scored: Parent[] = []
    for (const { parent, blob, scores } of storedParents(updates)) {
      const own = kept.get(blob) ?? { scores: await scores(), weights: null }
      scored.push({ ...(own.weights ? inMemory(parent, own.weights) : parent), scores: own.scores })
    }
    kept.clear()
    return scored
  }

  /** Kept until another one is asked for: all updates of a round have the same. */
  function baseWeights(base: BlobId): Promise<WeightReader> {
    if (latest?.base !== base) latest = { base, reader: openBase(base) }
    return latest.reader
  }

  async function openBase(base: BlobId): Promise<WeightReader> {
    const file = await openModelFile(blobs, base)
    return readerOfClientModel(file, expected.weights, encoding)
  }

  function inspect({ sizeBytes, base }: AnnouncedUpdate): Inspection {
    const headerBytes = HEADER_SLACK * largest.headerBytes
    const inspection = inspectUpdate(expected, { sizeBytes, headerBytes, keepsWeights })
    return {
      add: inspection.add,
      finish(received) {
        const { facts, scores, weights } = inspection.finish()
        assertSays(facts, { ...runFacts, ...received, base })
        // Of what is refused after this, a client may send more than its part.
        const hasRoom = kept.size < cohortSize
        kept.set(received.blob.id, { scores, weights: weights && hasRoom ? named(weights) : null })
      },
    }
  }

  const named = (weights: readonly Float32Array[]): Weights =>
    expected.weights.map(({ name, shape }, i) => ({ name, shape, data: weights[i]! }))

  return {
    maxBytes: largest.sizeBytes,
    inspect,
    read: (bytes) => decodeUpdate(bytes, expected),
    parents: (updates) => storedParents(updates).map(({ parent }) => parent),
    scoredParents,
  }
}

interface StoredParent {
  readonly parent: Parent
  readonly scores: () => Promise<Float32Array[]>
}

type AcceptedUpdate = Updates[ClientId]

/** Nobody need open it to read a part at a time. */
function inMemory({ id, numExamples, classCounts, widths }: Parent, weights: Weights): Parent {
  const known = { id, numExamples, classCounts, scores: [], ...(widths && { widths }) }
  return { ...known, load: async () => weights }
}

/** Other programs write the same header with spaces. */
const HEADER_SLACK = 4

type Announced = RunFacts &
  Pick<ReceivedUpdate, 'round' | 'numExamples' | 'classCounts'> &
  Pick<AnnouncedUpdate, 'base'>

function assertSays(facts: UpdateFacts, announced: Announced): void {
  for (const field of Object.keys(facts) as (keyof UpdateFacts)[]) {
    const [found, value] = [facts[field], announced[field]]
    if (isDeepStrictEqual(found, value)) continue
    const problem = `The update says ${field} ${JSON.stringify(found)}, not ${JSON.stringify(value)}.`
    throw new GraftError('GRAFT_MESSAGE_INVALID', problem)
  }
}

function longestFacts(
  { numClasses, encoding = 'float32' }: ExpectedUpdate,
  { architecture }: RunFacts,
): UpdateFacts {
  const most = Number.MAX_SAFE_INTEGER
  return {
    round: RoundNumber.parse(most),
    architecture,
    numExamples: most,
    classCounts: Array.from({ length: numClasses }, () => most),
    scorer: 'x'.repeat(64),
    ...(isDelta(encoding) && { base: BlobId.parse('0'.repeat(64)) }),
  }
}
