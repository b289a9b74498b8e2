import { GraftError } from '../../shared/errors.ts'
import type { NeuronGraph, NeuronGroup } from '../../shared/model/neuron-graph.ts'
import { magnitudes, type PrunedNetwork } from './importance.ts'

/** How neurons are chosen; see the strategy `nt` for what each means. */
export interface ChoiceRules {
  readonly variant: 'merge-prune' | 'prune-merge'
  readonly importance: 'l2' | 'l1' | 'attribution'
  readonly order: 'upfront' | 'sequential'
  /** Neurons to keep of each group, [group]; all there are when they are fewer. */
  readonly widths: readonly number[]
}

/** A parent, with what earlier choices have left of it. */
export interface Candidate extends Omit<PrunedNetwork, 'weights'> {
  readonly id: string
  /** Attribution scores, [group][neuron]; empty when the parent sent none. */
  readonly scores: readonly Float32Array[]
  load(): Promise<PrunedNetwork['weights']>
}

/** What is kept of one group. */
export interface Choice {
  /** Neurons kept of each candidate, [candidate][neuron]: 1 where kept. */
  readonly isKept: readonly Uint8Array[]
  /** Importance of each neuron, [candidate][neuron]. */
  readonly importance: readonly Float64Array[]
  /** Mean importance of the neurons that were there. */
  readonly mean: number
}

/**
 * Chooses the neurons that survive, from the group before the head back to the first.
 *
 * Side by side, networks share no weights: the weights between neurons of two of them are zero. So a
 * neuron's magnitude is that in its own network, and the concatenation of NT need not be built.
 *
 * @param networks side by side; each is a list of candidates, several where networks were merged before
 * @returns [group]; of the head everything is kept
 * @throws GraftError GRAFT_STRATEGY_UNKNOWN when attribution is asked for and a parent has no scores
 */
export async function chooseNeurons(
  networks: readonly (readonly Candidate[])[],
  graph: NeuronGraph,
  rules: ChoiceRules,
): Promise<Choice[]> {
  const candidates = networks.flat()
  const isKept = candidates.map((candidate) => [...candidate.isKept])
  const choices: Choice[] = new Array<Choice>(graph.groups.length)
  const free = graph.groups.filter(({ isFixed }) => !isFixed)
  // Upfront, all groups are scored in one pass over each parent's weights, before any is pruned.
  const upfront = rules.order === 'upfront' ? await scoresOf(candidates, free) : undefined
  for (const group of graph.groups.toReversed()) {
    const { index, isFixed } = group
    if (isFixed) {
      choices[index] = keepAll(candidates, index)
      continue
    }
    const now = candidates.map((candidate, k) => ({ ...candidate, isKept: isKept[k]! }))
    const scores = upfront ?? (await scoresOf(now, [group]))
    const importance = scores.map((ofCandidate) => ofCandidate[index]!)
    const width = rules.widths[index]!
    const kept =
      rules.variant === 'prune-merge'
        ? keepOfEach(networks, { importance, index, width })
        : keepLargest(candidates, { importance, index, width })
    choices[index] = { isKept: kept, importance, mean: meanOf(candidates, importance, index) }
    kept.forEach((ofCandidate, k) => (isKept[k]![index] = ofCandidate))
  }
  return choices

  /** [candidate][group][neuron] */
  async function scoresOf(
    of: readonly Candidate[],
    groups: readonly NeuronGroup[],
  ): Promise<Float64Array[][]> {
    const scores: Float64Array[][] = []
    for (const candidate of of) {
      scores.push(
        rules.importance === 'attribution'
          ? attributionOf(candidate, graph)
          : magnitudes(
              graph,
              { ...candidate, weights: await candidate.load() },
              groups,
              rules.importance,
            ),
      )
    }
    return scores
  }
}

interface Quota {
  /** [candidate][neuron] */
  readonly importance: readonly Float64Array[]
  /** The group. */
  readonly index: number
  /** How many to keep. */
  readonly width: number
}

function keepAll(candidates: readonly Candidate[], index: number): Choice {
  return {
    isKept: candidates.map(({ isKept }) => isKept[index]!),
    importance: candidates.map(({ isKept }) => new Float64Array(isKept[index]!.length).fill(1)),
    mean: 1,
  }
}

function attributionOf({ id, scores, isKept }: Candidate, graph: NeuronGraph): Float64Array[] {
  return graph.groups.map(({ index, name, isFixed }) => {
    const { length } = isKept[index]!
    if (isFixed) return new Float64Array(length)
    const of = scores[index]
    if (of?.length === length) return Float64Array.from(of)
    throw new GraftError(
      'GRAFT_STRATEGY_UNKNOWN',
      `importance=attribution needs a score for each neuron of ${name}, and parent ${id} sent ${of?.length ?? 0}.`,
    )
  })
}

/** The most important of all; of equal ones those of the earlier network, then of the lower index. */
function keepLargest(candidates: readonly Candidate[], quota: Quota): Uint8Array[] {
  const { importance, index, width } = quota
  const flags = candidates.map(({ isKept }) => isKept[index]!)
  const present = flags.reduce((sum, of) => sum + countKept(of), 0)
  const values = new Float64Array(present)
  let place = 0
  for (const [k, of] of flags.entries()) place = copyKept(of, importance[k]!, values, place)
  values.sort()
  const first = Math.max(0, present - width)
  const least = values[first] ?? Infinity
  let ties = 0
  while (values[first + ties] === least) ties++
  return flags.map((of, k) => {
    const isKept = new Uint8Array(of.length)
    ties -= keepFrom(least, { flags: of, importance: importance[k]!, isKept, ties })
    return isKept
  })
}

// Functions of their own for what is done neuron by neuron: they are compiled after a few calls, where a long
// loop makes a number on the heap at every step until it is.

/** @returns the place behind the last copied value */
function copyKept(
  flags: Uint8Array,
  values: Float64Array,
  into: Float64Array,
  place: number,
): number {
  for (let i = 0; i < flags.length; i++) if (flags[i] === 1) into[place++] = values[i]!
  return place
}

interface Threshold {
  readonly flags: Uint8Array
  readonly importance: Float64Array
  /** Filled. */
  readonly isKept: Uint8Array
  /** How many that are as important as the least kept one have a place. */
  readonly ties: number
}

/** Keeps what is more important than `least`, and the first ones that are as important. @returns how many of those */
function keepFrom(least: number, { flags, importance, isKept, ties }: Threshold): number {
  let taken = 0
  for (let i = 0; i < flags.length; i++) {
    if (flags[i] === 0 || importance[i]! < least) continue
    if (importance[i] === least && taken++ >= ties) continue
    isKept[i] = 1
  }
  return Math.min(taken, ties)
}

/** Equal quotas of the networks; what does not divide goes to the first ones, one neuron each. */
function keepOfEach(networks: readonly (readonly Candidate[])[], quota: Quota): Uint8Array[] {
  const { importance, index, width } = quota
  const room = networks.map((candidates) =>
    candidates.reduce((sum, { isKept }) => sum + countKept(isKept[index]!), 0),
  )
  const quotas = room.map(() => 0)
  const all = room.reduce((sum, length) => sum + length, 0)
  for (let k = 0, left = Math.min(width, all); left > 0; k = (k + 1) % room.length) {
    if (quotas[k]! === room[k]!) continue
    quotas[k]!++
    left--
  }
  let first = 0
  return networks.flatMap((candidates, k) => {
    const own = importance.slice(first, (first += candidates.length))
    return keepLargest(candidates, { importance: own, index, width: quotas[k]! })
  })
}

function meanOf(
  candidates: readonly Candidate[],
  importance: readonly Float64Array[],
  index: number,
): number {
  let sum = 0
  let neurons = 0
  for (const [k, { isKept }] of candidates.entries()) {
    sum += sumKept(isKept[index]!, importance[k]!)
    neurons += countKept(isKept[index]!)
  }
  return sum / neurons
}

function sumKept(flags: Uint8Array, values: Float64Array): number {
  let sum = 0
  for (let i = 0; i < flags.length; i++) sum += flags[i]! * values[i]!
  return sum
}

/** Neurons that are kept. */
export function countKept(flags: Uint8Array): number {
  let sum = 0
  for (let i = 0; i < flags.length; i++) sum += flags[i]!
  return sum
}
