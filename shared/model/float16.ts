/** 0x7bff: 65,504, the largest finite half float. */
const LARGEST = 0x7bff
/** Float32 bits from which on a value is nearer to infinity than to {@link LARGEST}. */
const BEYOND_BITS = 0x47_7f_f0_00
/** 2^-14, below which half floats are multiples of 2^-24. */
const NORMAL_BITS = 0x38_80_00_00
const HALF_BITS = 0x3f_00_00_00

/**
 * The nearest half float (IEEE 754 binary16) of each value, ties to even. What is too large becomes the largest finite one: a
 * weight beyond 65,504 has no better, and infinity would spoil all others.
 *
 * @param values finite
 * @returns bits
 */
export function toFloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const halves = new Uint16Array(values.length)
  const bitsOf = new Int32Array(values.buffer, values.byteOffset, values.length)
  const scratch = new Float32Array(1)
  const scratchBits = new Int32Array(scratch.buffer)
  for (let i = 0; i < halves.length; i++) {
    const bits = bitsOf[i]!
    const sign = (bits >>> 16) & 0x80_00
    const magnitude = bits & 0x7f_ff_ff_ff
    let half = LARGEST
    if (magnitude < NORMAL_BITS) {
      // Beside 0.5 a float32 has multiples of 2^-24, too: the addition rounds.
      scratch[0] = Math.abs(values[i]!) + 0.5
      half = scratchBits[0]! - HALF_BITS
    } else if (magnitude < BEYOND_BITS) {
      const rounded = magnitude + 0xf_ff + ((magnitude >>> 13) & 1)
      half = (rounded - 0x38_00_00_00) >>> 13
    }
    halves[i] = sign | half
  }
  return halves
}

let table: Float32Array | undefined

/** Exactly what each half float is, by its bits. */
export function fromFloat16(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const values = new Float32Array(halves.length)
  decodeFloat16(halves, values)
  return values
}

/** The same into an array of as many, whose second half the half floats may be: each is read before it is written over. */
export function decodeFloat16(halves: Uint16Array, values: Float32Array): void {
  table ??= Float32Array.from({ length: 1 << 16 }, (_, bits) => valueOf(bits))
  for (let i = 0; i < values.length; i++) values[i] = table[halves[i]!]!
}

/** Whether these are the bits of NaN or infinity. */
export const isOddFloat16 = (bits: number): boolean => (bits & 0x7c_00) === 0x7c_00

function valueOf(bits: number): number {
  const sign = bits & 0x80_00 ? -1 : 1
  const exponent = (bits >>> 10) & 0x1f
  const fraction = bits & 0x3_ff
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN
  if (exponent === 0) return sign * fraction * 2 ** -24
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}
