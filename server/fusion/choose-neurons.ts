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
  /** Importance of each neuron that was there, divided by their mean, [candidate][neuron]. */
  readonly importance: readonly Float64Array[]
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
    choices[index] = { isKept: kept, importance: divideByMean(candidates, importance, index) }
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
  const present = candidates.reduce((sum, { isKept }) => sum + count(isKept[index]!), 0)
  const owners = new Int32Array(present)
  const neurons = new Int32Array(present)
  const values = new Float64Array(present)
  let place = 0
  candidates.forEach(({ isKept }, k) => {
    const flags = isKept[index]!
    for (let neuron = 0; neuron < flags.length; neuron++) {
      if (flags[neuron] === 0) continue
      owners[place] = k
      neurons[place] = neuron
      values[place++] = importance[k]![neuron]!
    }
  })
  // Stable, so that equals keep their order. A difference would be a number on the heap at every step.
  const order = owners
    .map((_, at) => at)
    .sort((a, b) => Number(values[b]! > values[a]!) - Number(values[b]! < values[a]!))
  const isKept = importance.map(({ length }) => new Uint8Array(length))
  for (const at of order.subarray(0, width)) isKept[owners[at]!]![neurons[at]!] = 1
  return isKept
}

/** Equal quotas of the networks; what does not divide goes to the first ones, one neuron each. */
function keepOfEach(networks: readonly (readonly Candidate[])[], quota: Quota): Uint8Array[] {
  const { importance, index, width } = quota
  const room = networks.map((candidates) =>
    candidates.reduce((sum, { isKept }) => sum + count(isKept[index]!), 0),
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

/** In place, as nobody else has the scores. */
function divideByMean(
  candidates: readonly Candidate[],
  importance: readonly Float64Array[],
  index: number,
): readonly Float64Array[] {
  // Plain loops: a sum in a closure is a new number on the heap at every step.
  let sum = 0
  let neurons = 0
  for (const [k, { isKept }] of candidates.entries()) {
    const [flags, values] = [isKept[index]!, importance[k]!]
    for (let neuron = 0; neuron < flags.length; neuron++) sum += flags[neuron]! * values[neuron]!
    neurons += count(flags)
  }
  const mean = sum / neurons
  if (!(mean > 0)) return importance
  for (const values of importance) {
    for (let neuron = 0; neuron < values.length; neuron++) values[neuron]! /= mean
  }
  return importance
}

function count(flags: Uint8Array): number {
  let sum = 0
  for (let i = 0; i < flags.length; i++) sum += flags[i]!
  return sum
}
