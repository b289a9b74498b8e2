import { GraftError } from '../../shared/errors.ts'
import type { Level } from '../../shared/model/levels.ts'
import type { NamedTensor } from '../../shared/model/weights.ts'
import { copyBlock } from './copy-block.ts'
import { firstIndices } from './first-indices.ts'
import { magnitudes } from './importance.ts'
import type { Network } from './network.ts'

/** How neurons are chosen; see the strategy `nt` for what each means. */
export interface ChoiceRules {
  readonly variant: 'merge-prune' | 'prune-merge'
  readonly importance: 'l2' | 'l1' | 'attribution'
  readonly order: 'upfront' | 'sequential'
  /** Neurons to keep of each level, [level]; all there are when they are fewer. */
  readonly widths: readonly number[]
}

/** What is kept of one level. */
export interface Choice {
  /** Neurons kept of each network, ascending, [network][kept]. */
  readonly kept: readonly Int32Array[]
  /** Importance of every neuron divided by the mean over the level, [network][neuron]. */
  readonly importance: readonly Float64Array[]
}

/**
 * Chooses the neurons that survive, from the level before the head back to the first.
 *
 * Side by side, networks share no weights: the weights between neurons of two of them are zero. So a
 * neuron's magnitude is that in its own network, and the concatenation of NT need not be built.
 *
 * @param networks with the heads that are to be merged: a reader counts with the weights it has here
 * @returns [level]; of the head everything is kept
 * @throws GraftError GRAFT_STRATEGY_UNKNOWN when attribution is asked for and a network has no scores
 */
export function chooseNeurons(
  networks: readonly Network[],
  levels: readonly Level[],
  rules: ChoiceRules,
): Choice[] {
  const choices: Choice[] = []
  for (const level of levels.toReversed()) {
    const behind = rules.order === 'sequential' ? choices[0] : undefined
    choices.unshift(level.isHead ? keepAll(networks, level) : chooseOf(level, behind))
  }
  return choices

  function chooseOf(level: Level, behind: Choice | undefined): Choice {
    const importance = networks.map((network, k) =>
      rules.importance === 'attribution'
        ? attributionOf(network, level)
        : magnitudes(withReadersPruned(network, level, behind?.kept[k]), level, rules.importance),
    )
    const width = rules.widths[level.index]!
    return {
      kept:
        rules.variant === 'prune-merge'
          ? keepOfEach(importance, width)
          : keepLargest(importance, width),
      importance: dividedByMean(importance),
    }
  }
}

function keepAll(networks: readonly Network[], level: Level): Choice {
  return {
    kept: networks.map(() => firstIndices(level.width)),
    importance: networks.map(() => new Float64Array(level.width).fill(1)),
  }
}

function attributionOf({ id, scores, widths }: Network, { index, layer }: Level): Float64Array {
  const of = scores[index]
  if (of === undefined || of.length !== widths[index]) {
    throw new GraftError(
      'GRAFT_STRATEGY_UNKNOWN',
      `importance=attribution needs a score for each neuron of ${layer}, and parent ${id} sent ${of?.length ?? 0}.`,
    )
  }
  return Float64Array.from(of)
}

/** The network with only those outputs of a level's readers that survived behind it. */
function withReadersPruned(
  network: Network,
  level: Level,
  kept: Int32Array | undefined,
): ReadonlyMap<string, NamedTensor> {
  if (kept === undefined) return network.weights
  const weights = new Map(network.weights)
  for (const { weight, role } of level.members) {
    if (role === 'reader') weights.set(weight, withOutputs(weights.get(weight)!, kept))
  }
  return weights
}

/** A kernel's outputs are its last axis. */
function withOutputs({ name, shape, data }: NamedTensor, kept: Int32Array): NamedTensor {
  const outputs = shape.length - 1
  const pruned = {
    name,
    shape: shape.with(outputs, kept.length),
    data: new Float32Array((data.length / shape[outputs]!) * kept.length),
  }
  copyBlock(
    { shape, data },
    pruned,
    shape.map((length, axis) => ({
      from: axis === outputs ? kept : firstIndices(length),
      to: firstIndices(axis === outputs ? kept.length : length),
    })),
  )
  return pruned
}

/** The most important of all; of equal ones those of the earlier network, then of the lower index. */
function keepLargest(importance: readonly Float64Array[], width: number): Int32Array[] {
  const ranked = importance
    .flatMap((values, network) =>
      Array.from(values, (value, neuron) => ({ value, network, neuron })),
    )
    .sort((a, b) => b.value - a.value)
    .slice(0, width)
  return importance.map((_, k) =>
    Int32Array.from(
      ranked.filter(({ network }) => network === k).map(({ neuron }) => neuron),
    ).sort(),
  )
}

/** Equal quotas; what does not divide goes to the first networks, one neuron each. */
function keepOfEach(importance: readonly Float64Array[], width: number): Int32Array[] {
  const room = importance.map(({ length }) => length)
  const quotas = room.map(() => 0)
  let left = Math.min(
    width,
    room.reduce((sum, length) => sum + length, 0),
  )
  for (let k = 0; left > 0; k = (k + 1) % room.length) {
    if (quotas[k]! === room[k]!) continue
    quotas[k]!++
    left--
  }
  return importance.map((values, k) => keepLargest([values], quotas[k]!)[0]!)
}

function dividedByMean(importance: readonly Float64Array[]): Float64Array[] {
  const all = importance.flatMap((values) => [...values])
  const mean = all.reduce((sum, value) => sum + value, 0) / all.length
  return importance.map((values) => (mean > 0 ? values.map((value) => value / mean) : values))
}
