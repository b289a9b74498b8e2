/** Bytes behind the first byte of a value that hold no value of their own; strings and bytes are apart. */
const FIXED_SIZES: Readonly<Record<number, number>> = {
  ...{ 0xc0: 0, 0xc2: 0, 0xc3: 0 }, // nil, false, true
  ...{ 0xca: 4, 0xcb: 8 }, // float 32, 64
  ...{ 0xcc: 1, 0xcd: 2, 0xce: 4, 0xcf: 8 }, // uint 8 to 64
  ...{ 0xd0: 1, 0xd1: 2, 0xd2: 4, 0xd3: 8 }, // int 8 to 64
  ...{ 0xdc: 2, 0xdd: 4, 0xde: 2, 0xdf: 4 }, // array and map 16, 32: their elements follow as values
}

/**
 * Refuses MessagePack with extension types, before anything is built from it. msgpackr reads about ten of
 * them whatever its options say: records whose readers it compiles, errors, regular expressions, cyclic
 * references. A stranger's megabyte of those keeps a coordinator busy for seconds; ours have none but
 * msgpackr's `undefined`.
 *
 * One pass without recursion, as values stand one behind the other; what is truncated is left to the
 * parser. Format: github.com/msgpack/msgpack/blob/master/spec.md.
 *
 * @throws TypeError at an extension; RangeError where a length is cut off
 */
export function assertPlainMsgpack(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  while (at < bytes.length) {
    const token = view.getUint8(at++)
    at += sizeBehind(token, at, view)
  }
}

function sizeBehind(token: number, at: number, view: DataView): number {
  // Small numbers, and small maps and arrays, whose elements follow as values.
  if (token < 0xa0 || token >= 0xe0) return 0
  if (token < 0xc0) return token & 0x1f // a short string
  switch (token) {
    case 0xc4: // bin 8
    case 0xd9: // str 8
      return 1 + view.getUint8(at)
    case 0xc5: // bin 16
    case 0xda: // str 16
      return 2 + view.getUint16(at)
    case 0xc6: // bin 32
    case 0xdb: // str 32
      return 4 + view.getUint32(at)
    case 0xd4: // extension of one byte; type 0 is `undefined`
      if (view.getUint8(at) === 0) return 2
  }
  const size = FIXED_SIZES[token]
  if (size === undefined)
    throw new TypeError(`MessagePack type 0x${token.toString(16)} is not used`)
  return size
}
