import { assign, checkCost } from './assignment.ts'

/**
 * The earth mover's plan: how much of each row's supply goes to each column's demand so that
 * sum_ij cost[i, j] plan[i, j] is least, with row sums `supply` and column sums `demand`.
 *
 * Source: successive shortest paths with prices, Ahuja, Magnanti and Orlin 1993, "Network Flows",
 * section 9.7; exact but for rounding, as every path is tight under the prices. Where all rows supply and
 * all columns demand the same, a permutation is an optimal plan (Birkhoff), and comes out.
 *
 * @param cost [rows, columns], finite
 * @param supply [rows], each finite and >= 0
 * @param demand [columns], each finite and >= 0; scaled to the total of `supply`
 * @returns plan, [rows, columns]
 * @throws RangeError for a cost, supply or demand that is not as above, or totals further apart than a
 *   float32 can tell
 */
export function transportPlan(
  cost: Float64Array | Float32Array,
  supply: ArrayLike<number>,
  demand: ArrayLike<number>,
): Float64Array {
  const shape = { rows: supply.length, columns: demand.length }
  checkCost(cost, shape)
  const scaled = scaleTo(total(supply, 'supply'), demand)
  const plan = new Float64Array(cost.length)
  if (shape.rows === shape.columns && isConstant(supply) && isConstant(demand)) {
    assign(cost, shape).forEach((j, i) => (plan[i * shape.columns + j] = supply[i]!))
    return plan
  }
  const flow = createFlow(cost, plan, Float64Array.from(supply), scaled)
  for (let i = 0; i < shape.rows; i++) while (flow.supply[i]! > 0) sendFrom(flow, i)
  return plan
}

function total(amounts: ArrayLike<number>, name: string): number {
  let sum = 0
  for (let i = 0; i < amounts.length; i++) {
    if (!(amounts[i]! >= 0 && amounts[i]! < Infinity))
      throw new RangeError(`${name} ${i} is ${amounts[i]}; it must be a finite number >= 0`)
    sum += amounts[i]!
  }
  return sum
}

/** Largest difference of the totals, relative to them: float32 sums of some thousand scores. */
const TOTAL_TOLERANCE = 1e-4

function scaleTo(supplied: number, demand: ArrayLike<number>): Float64Array {
  const demanded = total(demand, 'demand')
  if (Math.abs(supplied - demanded) > TOTAL_TOLERANCE * Math.max(supplied, demanded))
    throw new RangeError(`A supply of ${supplied} cannot meet a demand of ${demanded}`)
  const scale = demanded > 0 ? supplied / demanded : 1
  return Float64Array.from(demand, (amount) => amount * scale)
}

function isConstant(amounts: ArrayLike<number>): boolean {
  for (let i = 1; i < amounts.length; i++) if (amounts[i] !== amounts[0]) return false
  return true
}

/**
 * A part of the flow: cost[i, j] >= rowPrice[i] + columnPrice[j], with equality wherever the plan is
 * above 0, and columnPrice[j] is the same for all columns that still lack something, and nowhere above.
 */
interface Flow {
  readonly cost: Float64Array | Float32Array
  readonly plan: Float64Array
  /** What rows have left and columns lack. */
  readonly supply: Float64Array
  readonly demand: Float64Array
  /** An amount below this is what rounding left of 0, by row and by column. */
  readonly rowNoise: Float64Array
  readonly columnNoise: Float64Array
  readonly rowPrice: Float64Array
  readonly columnPrice: Float64Array
  /** The rows that send something to each column. */
  readonly senders: number[][]
  readonly search: Search
}

/** Memory of one search for the cheapest path. */
interface Search {
  readonly distance: Float64Array
  /** The row before each column on its path, and the column before each row, -1 for none. */
  readonly rowBefore: Int32Array
  readonly columnBefore: Int32Array
  readonly isReached: Uint8Array
  /** Columns: closed ones first. */
  readonly order: Int32Array
}

/** Of an amount, what rounding may leave when it should be used up. */
const ROUNDING = 2 ** -46

function createFlow(
  cost: Float64Array | Float32Array,
  plan: Float64Array,
  supply: Float64Array,
  demand: Float64Array,
): Flow {
  const [rows, columns] = [supply.length, demand.length]
  return {
    cost,
    plan,
    supply,
    demand,
    rowNoise: supply.map((amount) => amount * ROUNDING),
    columnNoise: demand.map((amount) => amount * ROUNDING),
    rowPrice: Float64Array.from({ length: rows }, (_, i) => smallest(cost, i * columns, columns)),
    columnPrice: new Float64Array(columns),
    senders: Array.from({ length: columns }, () => []),
    search: {
      distance: new Float64Array(columns),
      rowBefore: new Int32Array(columns),
      columnBefore: new Int32Array(rows),
      isReached: new Uint8Array(rows),
      order: Int32Array.from({ length: columns }, (_, j) => j),
    },
  }
}

function smallest(values: ArrayLike<number>, start: number, length: number): number {
  let value = Infinity
  for (let k = start; k < start + length; k++) value = Math.min(value, values[k]!)
  return value
}

/** Sends as much as fits along the cheapest path from row `start` to a column that lacks something. */
function sendFrom(flow: Flow, start: number): void {
  const end = findPath(flow, start)
  const { plan, supply, demand, senders, rowNoise, columnNoise, search } = flow
  const columns = demand.length
  // Where rounding left a supply without any demand, the nearest column takes it.
  let amount = demand[end]! > 0 ? Math.min(supply[start]!, demand[end]!) : supply[start]!
  for (let i = search.rowBefore[end]!; i !== start; i = rowBeforeRow(search, i))
    amount = Math.min(amount, plan[i * columns + search.columnBefore[i]!]!)

  supply[start] = rest(supply[start]!, amount, rowNoise[start]!)
  demand[end] = rest(demand[end]!, amount, columnNoise[end]!)
  for (let j = end; ;) {
    const i = search.rowBefore[j]!
    const at = i * columns + j
    if (plan[at] === 0) senders[j]!.push(i)
    plan[at] = plan[at]! + amount
    if (i === start) return
    j = search.columnBefore[i]!
    const back = i * columns + j
    plan[back] = rest(plan[back]!, amount, Math.min(rowNoise[i]!, columnNoise[j]!))
    if (plan[back] === 0) senders[j]!.splice(senders[j]!.indexOf(i), 1)
  }
}

function rowBeforeRow({ rowBefore, columnBefore }: Search, row: number): number {
  return rowBefore[columnBefore[row]!]!
}

function rest(from: number, amount: number, noise: number): number {
  const left = from - amount
  return left > noise ? left : 0
}

/** Dijkstra over reduced costs; adapts the prices such that the path found is tight. */
function findPath(flow: Flow, start: number): number {
  const { cost, demand, rowPrice, columnPrice, senders, search } = flow
  const { distance, rowBefore, columnBefore, isReached, order } = search
  const columns = demand.length
  distance.fill(Infinity)
  isReached.fill(0)
  isReached[start] = 1
  // Rows whose edges are still to be relaxed: all at distance `reached`, as plans run over tight edges.
  const rows = [start]
  let closed = 0
  let reached = 0
  let end = -1
  while (end < 0 && closed < columns) {
    for (let row = rows.pop(); row !== undefined; row = rows.pop()) {
      const offset = reached - rowPrice[row]!
      for (let k = closed, base = row * columns; k < columns; k++) {
        const j = order[k]!
        const length = offset + cost[base + j]! - columnPrice[j]!
        if (length < distance[j]!) {
          distance[j] = length
          rowBefore[j] = row
        }
      }
    }
    let nearest = closed
    let least = Infinity
    for (let k = closed; k < columns; k++) {
      const known = distance[order[k]!]!
      // Among equals a column that lacks something ends the search.
      if (known < least || (known === least && demand[order[k]!]! > 0)) {
        least = known
        nearest = k
      }
    }
    const column = order[nearest]!
    order[nearest] = order[closed]!
    order[closed++] = column
    reached = Math.max(reached, distance[column]!)
    if (demand[column]! > 0) end = column
    for (const row of senders[column]!)
      if (isReached[row] === 0) {
        isReached[row] = 1
        columnBefore[row] = column
        rows.push(row)
      }
  }
  // Only rounding can leave a supply when all demands are met.
  if (end < 0) return order[0]!

  rowPrice[start] = rowPrice[start]! + reached
  for (let k = 0; k < closed; k++) {
    const j = order[k]!
    const shift = reached - distance[j]!
    if (shift <= 0) continue
    columnPrice[j] = columnPrice[j]! - shift
    for (const row of senders[j]!)
      if (columnBefore[row] === j && isReached[row] === 1 && row !== start)
        rowPrice[row] = rowPrice[row]! + shift
  }
  return end
}
