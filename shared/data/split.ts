import { GraftError } from '../errors.ts'
import { createRng, type Rng } from '../numeric/rng.ts'
import { drawBalanced, drawProportional } from './draw.ts'
import type { ExampleSet } from './example-set.ts'
import { partition } from './partition.ts'

export interface SplitOptions {
  /** Examples of the proxy set; 0 for none. */
  readonly proxy: number
  readonly clients: number
  /** As `--partition` takes it, e.g. `labels:2`. */
  readonly partition: string
  /** Most examples a client keeps of its part; null keeps all. */
  readonly examplesPerClient: number | null
  readonly seed: number
}

/** Who has which examples of the training set: indices into it, ascending, none in two places. */
export interface Split {
  readonly proxy: Int32Array
  /** [client][example]; client i trains as `--shard i/N`, N being the number of clients. */
  readonly clients: readonly Int32Array[]
}

/**
 * Draws the proxy set balanced by class, then deals the rest to the clients; a client that may keep fewer
 * than it was dealt keeps a random subset with the same shares of classes. Each step has a stream of
 * its own, so all machines of a run find the same split by themselves, and a cap or another partition
 * leaves the proxy set as it is.
 *
 * @throws GraftError GRAFT_OPTION_INVALID when the partition is not one; GRAFT_PARTITION_INVALID when there
 *   are too few examples
 */
export function splitDataset(train: ExampleSet, options: SplitOptions): Split {
  const { labels, numClasses } = train
  const rng = splitRng(options)
  const proxy = drawProxy(train, options)

  const isProxy = new Uint8Array(labels.length)
  for (const index of proxy) isProxy[index] = 1
  const rest = Int32Array.from(labels.keys()).filter((index) => isProxy[index] === 0)
  const parts = partition(options.partition, {
    labels: labelsOf(train, rest),
    numClasses,
    clients: options.clients,
    rng: rng.split('partition'),
  })

  const clients = parts.map((positions, client) => {
    const dealt = positions.map((position) => rest[position]!)
    return keep(train, dealt, {
      atMost: options.examplesPerClient,
      rng: rng.split(`client-${client}`),
    })
  })
  return { proxy, clients }
}

/**
 * The proxy set of {@link splitDataset} alone, which leaves nothing over where nobody is dealt any.
 * @throws GraftError GRAFT_PARTITION_INVALID when there are too few examples
 */
export function drawProxy(
  { labels, numClasses }: ExampleSet,
  options: Pick<SplitOptions, 'proxy' | 'seed'>,
): Int32Array {
  const count = options.proxy
  if (!(Number.isSafeInteger(count) && count >= 0 && count <= labels.length)) {
    const problem = `A proxy set of ${count} examples cannot be drawn from ${labels.length}.`
    throw new GraftError('GRAFT_PARTITION_INVALID', problem)
  }
  return drawBalanced({ labels, numClasses, count, rng: splitRng(options).split('proxy') })
}

const splitRng = ({ seed }: Pick<SplitOptions, 'seed'>): Rng =>
  createRng(String(seed)).split('split')

function keep(
  train: ExampleSet,
  dealt: Int32Array,
  { atMost, rng }: { atMost: number | null; rng: Rng },
): Int32Array {
  if (atMost === null || atMost >= dealt.length) return dealt
  if (!(Number.isSafeInteger(atMost) && atMost >= 1)) {
    const problem = `A client cannot keep ${atMost} examples: the number must be a whole number from 1.`
    throw new GraftError('GRAFT_PARTITION_INVALID', problem)
  }
  const kept = drawProportional({
    labels: labelsOf(train, dealt),
    numClasses: train.numClasses,
    count: atMost,
    rng,
  })
  return kept.map((position) => dealt[position]!)
}

const labelsOf = ({ labels }: ExampleSet, indices: Int32Array): Int32Array =>
  indices.map((index) => labels[index]!)
