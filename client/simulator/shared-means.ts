import { loadDataset } from '../../shared/data/datasets.ts'
import type { Dataset, ExampleSet } from '../../shared/data/example-set.ts'
import { loadOwnData, type OwnDataset } from '../../shared/data/own/own-data.ts'
import { type Split, splitDataset } from '../../shared/data/split.ts'
import type { BlobId } from '../../shared/ids.ts'
import type { Participant } from '../node/round.ts'
import { createTurns } from './turns.ts'

/** Blobs that come over sockets at the same time: each takes its size in memory until it is whole. */
const PULLS_AT_ONCE = 4
/** Blobs that clients hold of two rounds: a global model and a correction each, and the proxy set. */
const KEPT_BLOBS = 5

/** What all clients of a worker have in common, so that hundreds of them fit into one process. */
export interface SharedMeans {
  /** Reads each data set once. */
  readonly load: (name: string) => Promise<Dataset>
  /** Reads the data of the user's own once: all clients of a run read the same files in the same way. */
  readonly loadOwn: typeof loadOwnData
  /** Deals the examples once for all parts. */
  readonly split: typeof splitDataset
  /** Keeps one copy of a blob that many have pulled. */
  readonly keepBlob: (id: BlobId, bytes: Uint8Array) => Uint8Array
  /** One network at a time on the engine, which takes all cores for each of its operations. */
  readonly takeTurns: (participant: Participant) => Participant
}

export function createSharedMeans(): SharedMeans {
  const datasets = new Map<string, Promise<Dataset>>()
  const splits = new WeakMap<ExampleSet, Map<string, Split>>()
  const blobs = new Map<BlobId, Uint8Array>()
  const engine = createTurns(1)
  const pulls = createTurns(PULLS_AT_ONCE)
  let own: Promise<OwnDataset> | undefined

  return {
    load(name) {
      const dataset = datasets.get(name) ?? loadDataset(name)
      datasets.set(name, dataset)
      return dataset
    },
    loadOwn: (...given) => (own ??= loadOwnData(...given)),
    split(train, options) {
      const known = splits.get(train) ?? new Map<string, Split>()
      splits.set(train, known)
      const key = JSON.stringify(options)
      const split = known.get(key) ?? splitDataset(train, options)
      known.set(key, split)
      return split
    },
    keepBlob(id, bytes) {
      const kept = blobs.get(id) ?? bytes
      blobs.delete(id)
      blobs.set(id, kept)
      const [oldest] = blobs.keys()
      if (blobs.size > KEPT_BLOBS && oldest !== undefined) blobs.delete(oldest)
      return kept
    },
    takeTurns(participant) {
      const { work, wire } = participant
      return {
        ...participant,
        work: {
          makeUpdate: (task, options) =>
            engine(async () => {
              // Its round may have ended while it waited.
              options.signal.throwIfAborted()
              return work.makeUpdate(task, options)
            }),
          judge: (model, examples) => engine(() => work.judge(model, examples)),
        },
        wire: { ...wire, pull: (blob, options) => pulls(() => wire.pull(blob, options)) },
      }
    },
  }
}
