/** @param at byte where the number begins */
type Read = (view: DataView, at: number, isLittle: boolean) => number

/**
 * Numbers out of bytes, by kind (i: whole, u: not negative, f: float) and bytes of one, as in `f4`. Whole numbers of
 * 8 bytes become float64.
 */
export const NUMBER_READERS: ReadonlyMap<string, readonly [bytes: number, read: Read]> = new Map([
  ['i1', [1, (view, at) => view.getInt8(at)]],
  ['i2', [2, (view, at, isLittle) => view.getInt16(at, isLittle)]],
  ['i4', [4, (view, at, isLittle) => view.getInt32(at, isLittle)]],
  ['i8', [8, (view, at, isLittle) => Number(view.getBigInt64(at, isLittle))]],
  ['u1', [1, (view, at) => view.getUint8(at)]],
  ['u2', [2, (view, at, isLittle) => view.getUint16(at, isLittle)]],
  ['u4', [4, (view, at, isLittle) => view.getUint32(at, isLittle)]],
  ['u8', [8, (view, at, isLittle) => Number(view.getBigUint64(at, isLittle))]],
  ['f4', [4, (view, at, isLittle) => view.getFloat32(at, isLittle)]],
  ['f8', [8, (view, at, isLittle) => view.getFloat64(at, isLittle)]],
] satisfies [string, [number, Read]][])
