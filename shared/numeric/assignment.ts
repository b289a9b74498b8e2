/** Entry (i, j) of a matrix [rows, columns], row by row. */
export interface MatrixShape {
  readonly rows: number
  readonly columns: number
}

/**
 * Minimum-cost linear assignment: every row gets a column of its own such that the sum of
 * cost[i, column of i] is least. Of equally cheap assignments the same one comes out each time.
 *
 * Source: shortest augmenting paths over the dual, as in Jonker and Volgenant 1987, "A shortest
 * augmenting path algorithm for dense and sparse linear assignment problems", in the rectangular form of
 * Crouse 2016, "On implementing 2D rectangular assignment algorithms", O(rows^2 columns).
 *
 * @param cost [rows, columns], finite; any sign
 * @param shape rows <= columns
 * @returns the column of each row, [rows]
 * @throws RangeError for a cost that is not finite, or more rows than columns
 */
export function assign(cost: Float64Array | Float32Array, shape: MatrixShape): Int32Array {
  checkCost(cost, shape)
  const { rows, columns } = shape
  if (rows > columns) throw new RangeError(`${columns} columns cannot be shared by ${rows} rows`)

  const matching: Matching = {
    cost,
    shape,
    columnOf: new Int32Array(rows).fill(-1),
    rowOf: new Int32Array(columns).fill(-1),
    rowPrice: new Float64Array(rows),
    columnPrice: new Float64Array(columns),
  }
  let free = Int32Array.from({ length: rows }, (_, row) => row)
  // Two passes, as in Jonker and Volgenant: a third would settle few rows more.
  for (let pass = 0; pass < 2; pass++) free = reduceRows(matching, free)
  priceRows(matching)
  const search = createSearch(columns)
  for (const row of free) augment(matching, search, row)
  return matching.columnOf
}

/** @throws RangeError when the length is not rows * columns, or a cost is not finite */
export function checkCost(cost: ArrayLike<number>, { rows, columns }: MatrixShape): void {
  if (cost.length !== rows * columns)
    throw new RangeError(`${cost.length} costs do not make a matrix [${rows}, ${columns}]`)
  for (let i = 0; i < cost.length; i++)
    if (!Number.isFinite(cost[i]))
      throw new RangeError(
        `The cost of row ${Math.floor(i / columns)}, column ${i % columns} is ${cost[i]}`,
      )
}

/** Throughout cost[i, j] >= rowPrice[i] + columnPrice[j], with equality for matched pairs. */
interface Matching {
  readonly cost: Float64Array | Float32Array
  readonly shape: MatrixShape
  /** Column of each row, -1 for none; `rowOf` is its inverse. */
  readonly columnOf: Int32Array
  readonly rowOf: Int32Array
  readonly rowPrice: Float64Array
  /** 0 for columns that no row ever held, else <= 0: what makes more columns than rows optimal too. */
  readonly columnPrice: Float64Array
}

/**
 * Augmenting row reduction: each free row takes its cheapest column, lowers the column's price to where
 * its second cheapest is as good, and frees the row that held it, which goes next when that moved a price.
 *
 * @returns the rows that are free still
 */
function reduceRows({ cost, shape, columnOf, rowOf, columnPrice }: Matching, free: Int32Array) {
  const { columns } = shape
  const waiting = [...free].reverse()
  const left: number[] = []
  // Prices may fall by ever less, so the number of displacements is bounded.
  let budget = 4 * free.length
  for (let row = waiting.pop(); row !== undefined; row = waiting.pop()) {
    let least = Infinity
    let second = Infinity
    let column = -1
    let secondColumn = -1
    for (let j = 0, at = row * columns; j < columns; j++, at++) {
      const reduced = cost[at]! - columnPrice[j]!
      if (reduced >= second) continue
      if (reduced < least) {
        second = least
        secondColumn = column
        least = reduced
        column = j
      } else {
        second = reduced
        secondColumn = j
      }
    }
    const moves = second > least && second < Infinity
    if (moves) columnPrice[column] = columnPrice[column]! - (second - least)
    else if (rowOf[column] !== -1 && secondColumn !== -1) column = secondColumn
    const displaced = rowOf[column]!
    rowOf[column] = row
    columnOf[row] = column
    if (displaced === -1) continue
    columnOf[displaced] = -1
    if (moves && budget-- > 0) waiting.push(displaced)
    else left.push(displaced)
  }
  return Int32Array.from(left)
}

function priceRows({ cost, shape, columnOf, rowPrice, columnPrice }: Matching): void {
  for (let i = 0; i < shape.rows; i++) {
    const matched = columnOf[i]!
    let least = Infinity
    if (matched >= 0) least = cost[i * shape.columns + matched]! - columnPrice[matched]!
    else
      for (let j = 0; j < shape.columns; j++)
        least = Math.min(least, cost[i * shape.columns + j]! - columnPrice[j]!)
    rowPrice[i] = least
  }
}

/** Memory of one search, by column. */
interface Search {
  /** Cost of the cheapest alternating path known to end in the column. */
  readonly distance: Float64Array
  /** The row before the column on it. */
  readonly from: Int32Array
  /** Columns: `closed` ones first, in the order they were closed, then those that are open. */
  readonly order: Int32Array
}

function createSearch(columns: number): Search {
  return {
    distance: new Float64Array(columns),
    from: new Int32Array(columns),
    order: Int32Array.from({ length: columns }, (_, j) => j),
  }
}

/** Gives `start` a column along the cheapest alternating path (Dijkstra), and adapts the prices. */
function augment(matching: Matching, { distance, from, order }: Search, start: number): void {
  const { cost, shape, columnOf, rowOf, rowPrice, columnPrice } = matching
  const { columns } = shape
  distance.fill(Infinity)
  let closed = 0
  let reached = 0
  let row = start
  for (;;) {
    let nearest = closed
    let least = Infinity
    const offset = reached - rowPrice[row]!
    for (let k = closed; k < columns; k++) {
      const j = order[k]!
      const length = offset + cost[row * columns + j]! - columnPrice[j]!
      let known = distance[j]!
      if (length < known) {
        distance[j] = known = length
        from[j] = row
      }
      // Among equals a free column ends the search.
      if (known < least || (known === least && rowOf[j] === -1)) {
        least = known
        nearest = k
      }
    }
    const column = order[nearest]!
    order[nearest] = order[closed]!
    order[closed++] = column
    reached = Math.max(reached, least)
    if (rowOf[column] === -1) break
    row = rowOf[column]!
  }

  rowPrice[start] = rowPrice[start]! + reached
  for (let k = 0; k < closed - 1; k++) {
    const j = order[k]!
    const shift = reached - distance[j]!
    if (shift <= 0) continue
    columnPrice[j] = columnPrice[j]! - shift
    rowPrice[rowOf[j]!] = rowPrice[rowOf[j]!]! + shift
  }
  let column = order[closed - 1]!
  for (;;) {
    const holder = from[column]!
    const previous = columnOf[holder]!
    rowOf[column] = holder
    columnOf[holder] = column
    if (holder === start) return
    column = previous
  }
}
