import { DTYPE_BYTES } from '../../shared/model/safetensors-format.ts'
import { BLOCK_LENGTH } from '../../shared/model/weight-reader.ts'
import { measuresControls } from '../coordinator/ends-run.ts'
import { keepsUpdates } from '../coordinator/update-reader.ts'
import type { STRATEGIES } from '../fusion/strategies.ts'
import type { BlockStrategy } from '../fusion/strategy.ts'
import type { RunFacts } from './run-facts.ts'

/** What a strategy that looks at whole networks holds at once while it fuses. */
interface HeldNetworks {
  /** Whole models, whatever the number of parents: the parent being read, what is made of it, the result. */
  readonly models: number
  /** Whole models of each parent. */
  readonly ofEachParent?: number
  /** Whether every parent is led through the proxy set at once. */
  readonly walks?: true
  /** Whose neurons of a level are the unknowns of one least-squares problem. */
  readonly solves?: 'pairs' | 'all'
}

/** The same of one that works in blocks, however large the network is. */
interface HeldBlocks {
  /** Sums in float64 are two, the parent being read and the result one each. */
  readonly blocks: number
  /** Whether it holds a slice of each parent, too. */
  readonly slices?: true
}

type Named = typeof STRATEGIES
type Held<Name extends keyof Named> = Named[Name] extends BlockStrategy ? HeldBlocks : HeldNetworks

/** A strategy without a row, or with one of the other kind, does not compile. */
const HELD = {
  fedavg: { blocks: 4 },
  nt: { models: 3 },
  'hf-linear': { models: 3, ofEachParent: 1, walks: true, solves: 'pairs' },
  'kf-linear': { models: 3, ofEachParent: 1, walks: true, solves: 'all' },
  'kf-gradient': { models: 6, ofEachParent: 1, walks: true },
  otfusion: { models: 4, ofEachParent: 1 },
  'git-rebasin': { models: 4, ofEachParent: 1 },
  median: { blocks: 2, slices: true },
  'trimmed-mean': { blocks: 2, slices: true },
  krum: { blocks: 4, slices: true },
  feddf: { models: 7 },
  fedprox: { blocks: 4 },
  fedavgm: { blocks: 12 },
  fedadam: { blocks: 16 },
  scaffold: { blocks: 12 },
  auto: { models: 7, ofEachParent: 2, walks: true, solves: 'all' },
  ensemble: { models: 1 },
} as const satisfies { [Name in keyof Named]: Held<Name> }

/** Numbers that are handled at once, as float32. */
const BLOCK_BYTES = DTYPE_BYTES.F32 * BLOCK_LENGTH
/** Slices of the parents that are held beside each other, at most (coordinate-slices.ts). */
const MOST_SLICE_BYTES = 64 * 2 ** 20

/** The model that is judged, on the engine, which does not give its memory back. */
const ALWAYS_HELD = 1
/** While a model is trained: start, gradients, two moments, the best so far. */
const TRAINING_HELD = 5
/** Beside a network that is trained as a control: the average of the parents. */
const MEASURING_HELD = TRAINING_HELD + 1
/** Matrices of a least-squares problem, float64: products, their factors, right sides, a copy. Measured. */
const SYSTEM_COPIES = 6
/** Store, API and gateway, which are opened behind the forecast; the embedded database beside them. Measured. */
const SERVICES_BYTES = 40 * 2 ** 20
const EMBEDDED_BYTES = 230 * 2 ** 20
/** What is free for use again, and not given back. Measured. */
const GARBAGE_BYTES = 80 * 2 ** 20
/** Of uploads what has come in, and waits for the disk or the collector, at most. Measured. */
const MOST_RECEIVED_BYTES = 128 * 2 ** 20
/** A client that is connected: 71 MiB of a thousand. Measured. */
const CONNECTION_BYTES = 72 * 2 ** 10
/** Forward and backward pass hold what layers make, and its gradients. */
const PASSES = 3
const EVALUATION_BATCH = 256
/** A client: the model as it came, on the engine and trained, gradients, two moments, the update, the file of it. */
const CLIENT_HELD = 8

export interface Memory {
  /** Of the coordinator's process at its peak, bytes. */
  readonly coordinator: number
  /** Of one client's process at its peak, bytes, on a machine of its own. */
  readonly client: number
}

/**
 * @param resident bytes that this process has with engine, data set and plan loaded
 * @param isEmbedded whether the database is in this process
 */
export function predictMemory(facts: RunFacts, resident: number, isEmbedded = false): Memory {
  const { settings, model, activations } = facts
  const { training, tune, clients } = settings
  const isMeasured = measuresControls(settings, { isLast: true })
  const trained = tune.mode === 'none' ? 0 : TRAINING_HELD
  const tuning = (isMeasured ? MEASURING_HELD : trained) * model
  const evaluating = EVALUATION_BATCH * activations
  const stepping = PASSES * Math.max(tune.batchSize, training.batchSize) * activations
  const updates = clients * facts.update
  const received = Math.min(updates, MOST_RECEIVED_BYTES)
  const kept = keepsUpdates(updates, settings.encoding) ? updates : 0
  const passing = Math.max(evaluating, stepping)
  const services = SERVICES_BYTES + (isEmbedded ? EMBEDDED_BYTES : 0)
  const held = ALWAYS_HELD * model + Math.max(fusing(facts), tuning + passing)
  return {
    coordinator:
      resident + services + GARBAGE_BYTES + held + received + kept + clients * CONNECTION_BYTES,
    client: resident + GARBAGE_BYTES + CLIENT_HELD * model + passing,
  }
}

function fusing({ settings, strategy, model, widest, width, numProxy }: RunFacts): number {
  const { clients } = settings
  const held: HeldBlocks | HeldNetworks = HELD[strategy as keyof Named]
  if ('blocks' in held) {
    const slices = held.slices ? Math.min(clients * model, MOST_SLICE_BYTES) : 0
    return held.blocks * Math.min(BLOCK_BYTES, model) + slices
  }
  const parents = (held.ofEachParent ?? 0) * clients * model
  const walked = held.walks ? 2 * (clients + 1) * widest * numProxy : 0
  const together = held.solves === 'pairs' ? Math.min(2, clients) : clients
  const system = held.solves === undefined ? 0 : SYSTEM_COPIES * 8 * (together * width) ** 2
  return held.models * model + parents + walked + system
}
