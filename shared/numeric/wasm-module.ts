/** Instructions and their operands, nested as reads best: they stand in this order in the module. */
export type Code = number | readonly Code[]

/** Types of parameters and local variables. */
export const TYPE = { i32: 0x7f, f64: 0x7c, f64x2: 0x7b } as const

/** Instructions by their names in the standard; what reads or writes memory takes its address from the stack. */
export const OP = {
  i32Load: [0x28, 2, 0],
  f32Load: [0x2a, 2, 0],
  f64Load: [0x2b, 3, 0],
  f64Store: [0x39, 3, 0],
  i32LessThan: 0x49,
  i32Add: 0x6a,
  i32ShiftLeft: 0x74,
  f64Abs: 0x99,
  f64Add: 0xa0,
  f64Multiply: 0xa2,
  f64Promote: 0xbb,
  f64x2Load: [0xfd, 0x00, 3, 0],
  f64x2Store: [0xfd, 0x0b, 3, 0],
  /** Two float32, and zeros behind them. */
  f32x2Load: [0xfd, 0x5d, 2, 0],
  f64x2Promote: [0xfd, 0x5f],
  f64x2Add: [0xfd, 0xf0, 0x01],
  f64x2Multiply: [0xfd, 0xf2, 0x01],
} as const

/** A function without a result. Its parameters, and behind them its locals, are counted from 0. */
export interface WasmFunction {
  readonly parameters: readonly number[]
  /** Zero at first. */
  readonly locals: readonly number[]
  readonly body: Code
}

export const get = (local: number): Code => [0x20, local]
export const set = (local: number, value: Code): Code => [value, 0x21, local]
/** Sets it, and leaves the value on the stack. */
export const tee = (local: number, value: Code): Code => [value, 0x22, local]
/** @param value -64 to 63 */
export const constant = (value: number): Code => [0x41, value & 0x7f]
export const advance = (local: number, by: Code): Code => set(local, [get(local), by, OP.i32Add])
/** At least once. */
export const repeatWhile = (condition: Code, body: Code): Code => [
  [0x03, 0x40, body],
  [condition, 0x0d, 0, 0x0b],
]

/** Memory that all functions of a module share: one page of {@link PAGE_BYTES}, which grows on demand. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer
  /** Views of the buffer that were there before are then empty. */
  grow(pages: number): void
}

export const PAGE_BYTES = 65536

export type WasmModule<Name extends string> = Readonly<
  Record<Name, (...parameters: number[]) => void>
> & { readonly memory: WasmMemory }

/** TypeScript knows it only beside a browser's types. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

/**
 * Compiles functions. WebAssembly is fast from the first call on, where V8 interprets JavaScript until it has seen
 * enough of it.
 *
 * @throws WebAssembly.CompileError when a function is none
 */
export function compile<Name extends string>(
  functions: Readonly<Record<Name, WasmFunction>>,
): WasmModule<Name> {
  const all = Object.entries<WasmFunction>(functions)
  const types = all.map(([, { parameters }]) => [0x60, list(parameters), 0])
  const exported = all.map(([name], index) => [text(name), 0, index])
  const bodies = all.map(([, { locals, body }]) => {
    const declared = list(locals.map((type) => [1, type]))
    return sized([declared, body, 0x0b])
  })
  const bytes = flat([
    [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    [1, sized(list(types))],
    [3, sized(list(all.map((_, index) => index)))],
    [5, sized(list([[0, 1]]))],
    [7, sized(list([[text('memory'), 2, 0], ...exported]))],
    [10, sized(list(bodies))],
  ])
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(bytes)))
  return exports as WasmModule<Name>
}

const flat = (code: Code): number[] => ([code] as unknown[]).flat(Infinity) as number[]

/** @param items fewer than 128 */
const list = (items: readonly Code[]): Code => [items.length, items]

const text = (word: string): Code => list(Array.from(word, (letter) => letter.charCodeAt(0)))

/** With its length in bytes, up to 2 ** 14, in front. */
function sized(code: Code): Code {
  const bytes = flat(code)
  const { length } = bytes
  return [length < 0x80 ? length : [(length & 0x7f) | 0x80, length >> 7], bytes]
}
