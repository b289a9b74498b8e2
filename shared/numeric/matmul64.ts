/**
 * Part of a float64 array seen as a matrix: entry (i, j) lies at offset + i * rowStride + j * columnStride.
 */
export interface View64 {
  readonly data: Float64Array
  readonly offset: number
  readonly rows: number
  readonly columns: number
  readonly rowStride: number
  readonly columnStride: number
}

/** All of an array, row by row. */
export function viewOf(data: Float64Array, columns: number): View64 {
  const rows = data.length / columns
  return { data, offset: 0, rows, columns, rowStride: columns, columnStride: 1 }
}

/** The same numbers with rows as columns. */
export function transposed({ data, offset, ...view }: View64): View64 {
  return {
    data,
    offset,
    rows: view.columns,
    columns: view.rows,
    rowStride: view.columnStride,
    columnStride: view.rowStride,
  }
}

/** Rows and columns from `top` and `left` on. */
export function part(
  view: View64,
  top: number,
  left: number,
  size: readonly [number, number],
): View64 {
  const offset = view.offset + top * view.rowStride + left * view.columnStride
  return { ...view, offset, rows: size[0], columns: size[1] }
}

// Panels of A [ROWS, DEPTH] stay in the first-level cache while a panel of B passes; a packed block of
// A, 128 x 256 doubles, stays in the second-level one.
const DEPTH = 256
const ROWS = 128
const TILE = 4

/**
 * c += sign * a b, by packed blocks and tiles of 4 x 4 held in registers: Goto and van de Geijn 2008,
 * "Anatomy of high-performance matrix multiplication".
 *
 * @param c [rows, columns], rows contiguous (columnStride 1); changed in place
 * @param options `sign` is 1 or -1, by default 1; with `lowerOnly`, entries above the diagonal of c may be left out
 */
export function addProduct(
  c: View64,
  a: View64,
  b: View64,
  { sign = 1, lowerOnly = false }: { sign?: number; lowerOnly?: boolean } = {},
): void {
  const depth = Math.min(DEPTH, a.columns)
  const packedA = new Float64Array(ROWS * depth)
  const packedB = new Float64Array(roundUp(c.columns) * depth)
  for (let p = 0; p < a.columns; p += depth) {
    const size = Math.min(depth, a.columns - p)
    pack(transposed(part(b, p, 0, [size, c.columns])), packedB, 1)
    for (let i = 0; i < c.rows; i += ROWS) {
      const rows = Math.min(ROWS, c.rows - i)
      pack(part(a, i, p, [rows, size]), packedA, sign)
      const columns = lowerOnly ? Math.min(c.columns, i + rows) : c.columns
      for (let j = 0; j < columns; j += TILE)
        for (let k = 0; k < rows; k += TILE)
          if (!lowerOnly || i + k + TILE > j)
            addTile(
              { data: packedA, offset: k * size },
              { data: packedB, offset: j * size },
              part(c, i + k, j, [Math.min(TILE, rows - k), Math.min(TILE, columns - j)]),
              size,
            )
    }
  }
}

/** a a', symmetric, [rows, rows]. */
export function selfProduct(a: View64): Float64Array {
  const n = a.rows
  const product = new Float64Array(n * n)
  addProduct(viewOf(product, n), a, transposed(a), { lowerOnly: true })
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) product[j * n + i] = product[i * n + j]!
  return product
}

function roundUp(size: number): number {
  return Math.ceil(size / TILE) * TILE
}

/** Rows in fours, each four column by column, times `sign`; rows that lack are zeros. */
function pack(view: View64, into: Float64Array, sign: number): void {
  const { data, offset, rows, columns, rowStride, columnStride } = view
  let at = 0
  for (let i = 0; i < rows; i += TILE)
    for (let j = 0, from = offset + i * rowStride; j < columns; j++, from += columnStride)
      for (let k = 0; k < TILE; k++)
        into[at++] = i + k < rows ? sign * data[from + k * rowStride]! : 0
}

interface Panel {
  readonly data: Float64Array
  readonly offset: number
}

/** Adds the product of two packed panels to a tile. */
function addTile(a: Panel, b: Panel, c: View64, depth: number): void {
  const [x, y] = [a.data, b.data]
  let c00 = 0, c01 = 0, c02 = 0, c03 = 0 // prettier-ignore
  let c10 = 0, c11 = 0, c12 = 0, c13 = 0 // prettier-ignore
  let c20 = 0, c21 = 0, c22 = 0, c23 = 0 // prettier-ignore
  let c30 = 0, c31 = 0, c32 = 0, c33 = 0 // prettier-ignore
  const end = a.offset + TILE * depth
  for (let p = a.offset, q = b.offset; p < end; p += TILE, q += TILE) {
    const b0 = y[q]!
    const b1 = y[q + 1]!
    const b2 = y[q + 2]!
    const b3 = y[q + 3]!
    let value = x[p]!
    c00 += value * b0
    c01 += value * b1
    c02 += value * b2
    c03 += value * b3
    value = x[p + 1]!
    c10 += value * b0
    c11 += value * b1
    c12 += value * b2
    c13 += value * b3
    value = x[p + 2]!
    c20 += value * b0
    c21 += value * b1
    c22 += value * b2
    c23 += value * b3
    value = x[p + 3]!
    c30 += value * b0
    c31 += value * b1
    c32 += value * b2
    c33 += value * b3
  }
  TILE_SUMS.set([c00, c01, c02, c03, c10, c11, c12, c13, c20, c21, c22, c23, c30, c31, c32, c33])
  for (let i = 0; i < c.rows; i++)
    for (let j = 0, at = c.offset + i * c.rowStride; j < c.columns; j++, at++)
      c.data[at] = c.data[at]! + TILE_SUMS[i * TILE + j]!
}

const TILE_SUMS = new Float64Array(TILE * TILE)
