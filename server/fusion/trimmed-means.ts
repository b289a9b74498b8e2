import { type NeuronGraph, widthsOf } from '../../shared/model/neuron-graph.ts'
import type { NamedShape } from '../../shared/model/weights.ts'
import { type CoordinateSlice, slicesOf } from './coordinate-slices.ts'
import { madeNeurons } from './element-shares.ts'
import { ledgerOf } from './ledger.ts'
import { inIdOrder } from './parents.ts'
import type { FusionInput, OpenFusion } from './strategy.ts'

/**
 * In each coordinate, the mean of the parents' values without the `trim` smallest and the `trim` largest,
 * `w[i] = 1/(n - 2 trim) sum_k sort(w_1[i], ..., w_n[i])[trim + k]`, every parent counting alike. Trimming all
 * but one or two gives the median. Summed in float64.
 *
 * A parent's share of a neuron is its share of the values that were kept in the weights that make it; of
 * equal values each is kept in part.
 *
 * @param trim values left out at each end, 0 <= trim < parents / 2
 * @param mostValues see {@link slicesOf}
 * @throws GraftError GRAFT_SHAPE_MISMATCH for a parent of other widths than the fused network, while weights are read
 */
export function trimmedMeans(
  { graph, ...input }: FusionInput,
  trim: number,
  mostValues?: number,
): OpenFusion {
  const parents = inIdOrder(input.parents)
  const kept = parents.length - 2 * trim
  if (trim < 0 || kept < 1) throw new RangeError(`${trim} of ${parents.length} leave nothing`)
  let credits = createCredits(graph, parents.length)

  async function* pieces() {
    credits = createCredits(graph, parents.length)
    const sorted = new Float64Array(parents.length)
    const slices = slicesOf({ ...input, parents, graph }, mostValues)
    for await (const { weight, offset, values } of slices) {
      const creditsOf = credits.of(weight)
      const data = new Float32Array(values[0]!.length)
      for (let i = 0; i < data.length; i++) {
        sortInto(sorted, values, i)
        let sum = 0
        for (let k = trim; k < trim + kept; k++) sum += sorted[k]!
        data[i] = sum / kept
        const credit = creditsOf?.(offset + i)
        if (credit !== undefined) addKept(credit, { sorted, values, at: i, trim })
      }
      yield data
    }
  }

  return {
    weights: { shapes: graph.weights, pieces },
    ledger: () =>
      ledgerOf(
        graph,
        parents.map(({ id }) => id),
        (group, neuron) => {
          const own = credits.at(group, neuron)
          const total = own.reduce((sum, credit) => sum + credit, 0)
          return Array.from(own, (credit, parent) => {
            return { parent, neuron, share: total > 0 ? credit / total : 0, score: null }
          })
        },
      ),
  }
}

/** Up to so many values, insertion is faster than the typed array's own sort. */
const FEW = 24

function sortInto(sorted: Float64Array, values: CoordinateSlice['values'], at: number): void {
  const n = sorted.length
  if (n > FEW) {
    for (let k = 0; k < n; k++) sorted[k] = values[k]![at]!
    sorted.sort()
    return
  }
  for (let k = 0; k < n; k++) {
    const value = values[k]![at]!
    let place = k
    while (place > 0 && sorted[place - 1]! > value) {
      sorted[place] = sorted[place - 1]!
      place--
    }
    sorted[place] = value
  }
}

interface Kept {
  readonly sorted: Float64Array
  readonly values: CoordinateSlice['values']
  readonly at: number
  readonly trim: number
}

/** Adds to each parent's credit how much of its value was kept, 1 in all for one that was not trimmed. */
function addKept(credit: Float64Array, { sorted, values, at, trim }: Kept): void {
  const last = sorted.length - 1 - trim
  const [low, high] = [sorted[trim]!, sorted[last]!]
  const shareOfLow = keptShare(sorted, low, trim)
  const shareOfHigh = keptShare(sorted, high, trim)
  for (let k = 0; k < sorted.length; k++) {
    const value = values[k]![at]!
    if (value < low || value > high) continue
    credit[k]! += value === low ? shareOfLow : value === high ? shareOfHigh : 1
  }
}

/** Of those that are equal to a value, the share that lies between the trimmed ends. */
function keptShare(sorted: Float64Array, value: number, trim: number): number {
  const end = sorted.length - trim
  let [equal, inside] = [0, 0]
  for (let k = 0; k < sorted.length; k++) {
    if (sorted[k] !== value) continue
    equal++
    if (k >= trim && k < end) inside++
  }
  return inside / equal
}

/** What each parent has given to each neuron. */
interface Credits {
  /** @returns the credits of an element's neuron, [parent]; undefined for a weight that makes no neuron */
  of(weight: NamedShape): ((element: number) => Float64Array | undefined) | undefined
  /** [parent] */
  at(group: number, neuron: number): Float64Array
}

function createCredits(graph: NeuronGraph, numParents: number): Credits {
  const all = widthsOf(graph).map((width) =>
    Array.from({ length: width }, () => new Float64Array(numParents)),
  )
  return {
    of(weight) {
      const made = madeNeurons(graph, weight)
      if (made === undefined) return undefined
      const { group, neuron } = made.positions
      return (element) => {
        const position = made.positionOf(element)
        return all[group[position]!]?.[neuron[position]!]
      }
    },
    at: (group, neuron) => all[group]![neuron]!,
  }
}
