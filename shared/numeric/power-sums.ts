import {
  advance,
  type Code,
  compile,
  constant,
  get,
  OP,
  PAGE_BYTES,
  repeatWhile,
  set,
  tee,
  TYPE,
  type WasmFunction,
  type WasmMemory,
  type WasmModule,
} from './wasm-module.ts'

/** Some rows and columns of a row-major array. */
export interface Rows {
  readonly data: Float32Array
  /** Element at which each row begins; ascending. */
  readonly starts: Int32Array
  /** Of each column, counted from the beginning of its row; ascending. */
  readonly at: Int32Array
}

/** Sums that grow. */
export interface PowerSums {
  /** [row] */
  readonly rows: Float64Array
  /** [column] */
  readonly columns: Float64Array
}

/** p of |x|^p: 2 or 1. */
export type Power = 'squares' | 'magnitudes'

/**
 * Adds the squares of each column, |x_j|^2, to its sum, row after row, in float64.
 *
 * @param sums [column]; changed
 * @param values [row, column], row-major
 */
export function addColumnSquares(sums: Float64Array, values: Float32Array): void {
  const width = sums.length
  if (values.length === 0) return
  const { memory, pairSquares, singleSquares } = kernels()
  const first = 8 * width
  const rowBytes = 4 * width
  const blockRows = UNROLLED * Math.max(1, Math.floor((PAGE_BYTES - first) / (UNROLLED * rowBytes)))
  reserve(memory, first + blockRows * rowBytes)
  const [floats, doubles] = [new Float32Array(memory.buffer), new Float64Array(memory.buffer)]
  const addBlock = width % 2 === 0 ? pairSquares : singleSquares
  doubles.set(sums)
  for (let from = 0; from < values.length; from += blockRows * width) {
    const block = values.subarray(from, from + blockRows * width)
    const rows = UNROLLED * Math.ceil(block.length / (UNROLLED * width))
    floats.set(block, first / 4)
    floats.fill(0, first / 4 + block.length, first / 4 + rows * width)
    addBlock(first, first + rows * rowBytes, rowBytes)
  }
  sums.set(doubles.subarray(0, width))
}

/**
 * Adds |s_j x_ij|^p to the sum of row i and to that of column j, row after row, in float64.
 *
 * @param scales s, [column]
 * @param sums changed
 */
export function addPowers(
  { data, starts, at }: Rows,
  power: Power,
  scales: Float64Array,
  sums: PowerSums,
): void {
  const columns = at.length
  if (columns === 0 || starts.length === 0) return
  const { memory, ...add } = kernels()
  // In memory: sums of columns, scales, sums of the block's rows, places of columns, the block's rows.
  const span = at[columns - 1]! + 1
  const rowBytes = 4 * span
  const blockRows = Math.max(1, Math.floor((PAGE_BYTES - 20 * columns) / (8 + rowBytes)))
  reserve(memory, 20 * columns + blockRows * (8 + rowBytes))
  const { buffer } = memory
  const [floats, doubles] = [new Float32Array(buffer), new Float64Array(buffer)]
  const rowSums = 16 * columns
  const places = rowSums + 8 * blockRows
  const first = places + 4 * columns
  doubles.set(sums.columns)
  doubles.set(scales, columns)
  new Int32Array(buffer).set(at, places / 4)
  for (let from = 0; from < starts.length; from += blockRows) {
    const to = Math.min(starts.length, from + blockRows)
    doubles.set(sums.rows.subarray(from, to), rowSums / 8)
    for (let row = from; row < to;) {
      // Rows that lie one behind the other are copied together.
      let next = row + 1
      while (next < to && starts[next] === starts[next - 1]! + span) next++
      const run = data.subarray(starts[row], starts[next - 1]! + span)
      floats.set(run, first / 4 + (row - from) * span)
      row = next
    }
    add[power](first, first + (to - from) * rowBytes, rowBytes, rowSums, places, first, 8 * columns)
    sums.rows.set(doubles.subarray(rowSums / 8, rowSums / 8 + to - from), from)
  }
  sums.columns.set(doubles.subarray(0, columns))
}

/** Rows that are squared together, so that each sum is written once for all of them. */
const UNROLLED = 4

type Kernel = Power | 'pairSquares' | 'singleSquares'

let compiled: WasmModule<Kernel> | undefined

/** Compiled when first asked for, in a millisecond or two; their memory holds nothing between two calls. */
function kernels(): WasmModule<Kernel> {
  compiled ??= compile({
    pairSquares: columnSquares(PAIR),
    singleSquares: columnSquares(SINGLE),
    squares: powers((x, value) => [tee(x, value), get(x), OP.f64Multiply]),
    magnitudes: powers((_, value) => [value, OP.f64Abs]),
  })
  return compiled
}

function reserve(memory: WasmMemory, sizeBytes: number): void {
  const missing = sizeBytes - memory.buffer.byteLength
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES))
}

/** How numbers are read and added up: two columns at a time, or one. */
interface Lanes {
  readonly count: number
  readonly type: number
  /** float32 of the data, as float64. */
  readonly read: Code
  readonly load: Code
  readonly store: Code
  readonly add: Code
  readonly multiply: Code
}

const PAIR: Lanes = {
  count: 2,
  type: TYPE.f64x2,
  read: [OP.f32x2Load, OP.f64x2Promote],
  load: OP.f64x2Load,
  store: OP.f64x2Store,
  add: OP.f64x2Add,
  multiply: OP.f64x2Multiply,
}

const SINGLE: Lanes = {
  count: 1,
  type: TYPE.f64,
  read: [OP.f32Load, OP.f64Promote],
  load: OP.f64Load,
  store: OP.f64Store,
  add: OP.f64Add,
  multiply: OP.f64Multiply,
}

/** Sums of columns lie at the beginning of the memory. */
function columnSquares({ count, type, ...lanes }: Lanes): WasmFunction {
  const [rows, end, rowBytes, sum, rowEnd, x] = [0, 1, 2, 3, 4, 5]
  const pointers = Array.from({ length: UNROLLED }, (_, i) => x + 1 + i)
  const square = (pointer: number): Code => [
    tee(x, [get(pointer), lanes.read]),
    get(x),
    lanes.multiply,
  ]
  return {
    parameters: [TYPE.i32, TYPE.i32, TYPE.i32],
    locals: [TYPE.i32, TYPE.i32, type, ...pointers.map(() => TYPE.i32)],
    body: repeatWhile(
      [get(rows), get(end), OP.i32LessThan],
      [
        pointers.map((pointer, i) =>
          set(pointer, i === 0 ? get(rows) : [get(pointer - 1), get(rowBytes), OP.i32Add]),
        ),
        set(rowEnd, get(pointers[1]!)),
        set(sum, constant(0)),
        repeatWhile(
          [get(pointers[0]!), get(rowEnd), OP.i32LessThan],
          [
            get(sum),
            [get(sum), lanes.load, pointers.map((pointer) => [square(pointer), lanes.add])],
            lanes.store,
            advance(sum, constant(8 * count)),
            pointers.map((pointer) => advance(pointer, constant(4 * count))),
          ],
        ),
        // The last pointer has come to the row behind it.
        set(rows, get(pointers.at(-1)!)),
      ],
    ),
  }
}

/** @param powerOf |x|^p of a value; may keep it in local x */
function powers(powerOf: (x: number, value: Code) => Code): WasmFunction {
  const [rows, end, rowBytes, rowSums, at, atEnd, scales, place, column, x, rowSum] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
  ]
  const { i32, f64 } = TYPE
  const element = [get(rows), get(place), OP.i32Load, constant(2), OP.i32ShiftLeft, OP.i32Add]
  const scale = [get(scales), get(column), OP.i32Add, OP.f64Load]
  const value = [element, OP.f32Load, OP.f64Promote, scale, OP.f64Multiply]
  return {
    parameters: [i32, i32, i32, i32, i32, i32, i32],
    locals: [i32, i32, f64, f64],
    body: repeatWhile(
      [get(rows), get(end), OP.i32LessThan],
      [
        set(place, get(at)),
        set(column, constant(0)),
        set(rowSum, [0x44, 0, 0, 0, 0, 0, 0, 0, 0]),
        repeatWhile(
          [get(place), get(atEnd), OP.i32LessThan],
          [
            set(x, powerOf(x, value)),
            set(rowSum, [get(rowSum), get(x), OP.f64Add]),
            [get(column), get(column), OP.f64Load, get(x), OP.f64Add, OP.f64Store],
            advance(place, constant(4)),
            advance(column, constant(8)),
          ],
        ),
        [get(rowSums), get(rowSums), OP.f64Load, get(rowSum), OP.f64Add, OP.f64Store],
        advance(rowSums, constant(8)),
        advance(rows, get(rowBytes)),
      ],
    ),
  }
}
