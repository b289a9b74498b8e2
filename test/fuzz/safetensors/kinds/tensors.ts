import type { Rng } from '../../../../shared/numeric/rng.ts'
import { drawUntil, integer, joined, pick } from '../../draw.ts'
import { findFault } from '../find-fault.ts'
import type { FileKind } from '../kind.ts'
import { type Entry, offsetsOf, type Parts, putTogether, takeApart } from '../take-apart.ts'

/** What the header says of each tensor, and which there are. */
export const tensorKinds: readonly FileKind[] = [
  entry('dtype', 'dtype', (rng) => {
    const known = ['F64', 'F16', 'BF16', 'I64', 'I32', 'U8', 'BOOL', 'F8_E4M3']
    return pick<unknown>(rng, [
      ...known,
      'f32',
      'F32 ',
      '',
      null,
      32,
      ['F32'],
      { F32: 1 },
      'toString',
    ])
  }),
  entry('shape', 'shape', (rng, { shape }) => {
    const sizes = shape as number[]
    const at = integer(rng, sizes.length)
    const other = pick<unknown>(rng, [-1, 0, 0.5, 1e308, 2 ** 53, 2 ** 31, '6', null, [6], true])
    return pick<unknown>(rng, [
      sizes.with(at, other as number),
      [...sizes, pick(rng, [0, 1, 2])],
      [1, ...sizes],
      [sizes.reduce((product, size) => product * size, 1), 1],
      [...sizes].reverse().concat(1),
      Array.from({ length: 2000 }, () => 1),
      ...[[], null, '6,12', { 0: 6, 1: 12, length: 2 }],
    ])
  }),
  entry('offsets', 'data_offsets', (rng, { data_offsets }) => {
    const [begin, end] = data_offsets as [number, number]
    const by = pick(rng, [1, 4, 64, 2 ** 20, 2 ** 31, 2 ** 53])
    return pick<unknown>(rng, [
      [begin + by, end + by], // a gap, or beyond the end
      [begin - by, end - by], // an overlap, or before the beginning
      ...[
        [begin, end + by],
        [begin, end - by],
        [end, begin],
        [begin, begin],
      ],
      ...[[begin, end, end], [begin], [], [`${begin}`, `${end}`], [begin + 0.5, end + 0.5]],
      ...[null, { 0: begin, 1: end }, [null, null], [NaN, NaN]],
    ])
  }),
  entry('offsets of another tensor', 'data_offsets', (rng, _, parts) =>
    offsetsOf(pick(rng, parts.tensors)),
  ),
  tensors('description that is none', (rng, parts) => {
    const at = integer(rng, parts.tensors.length)
    const [name, { shape, dtype }] = parts.tensors[at]!
    const none = pick<unknown>(rng, [null, [], 'F32', 7, {}, { dtype, shape }, { shape }])
    return { ...parts, tensors: parts.tensors.with(at, [name, none as Entry]) }
  }),
  tensors('tensor missing', (rng, parts) => {
    const at = integer(rng, parts.tensors.length)
    const [begin, end] = offsetsOf(parts.tensors[at]!)
    const keepsBytes = rng.next() < 0.3
    const moved = parts.tensors.toSpliced(at, 1).map((tensor): Parts['tensors'][number] => {
      const [from, to] = offsetsOf(tensor)
      const by = from < end || keepsBytes ? 0 : end - begin
      return [tensor[0], { ...tensor[1], data_offsets: [from - by, to - by] }]
    })
    const data = keepsBytes
      ? parts.data
      : joined(parts.data.subarray(0, begin), parts.data.subarray(end))
    return { ...parts, tensors: moved, data }
  }),
  tensors('tensor more', (rng, parts) => {
    const name = pick(rng, [
      'fc9.kernel',
      'attribution.9',
      'attribution.-1',
      'attribution.x',
      '',
      '__proto__',
    ])
    const size = pick(rng, [0, 1, 4])
    const from = parts.data.length
    const more = { dtype: 'F32', shape: [size], data_offsets: [from, from + 4 * size] }
    const data = joined(parts.data, new Uint8Array(4 * size))
    return { ...parts, tensors: [...parts.tensors, [name, more]], data }
  }),
  tensors('name of a tensor', (rng, parts) => {
    const at = integer(rng, parts.tensors.length)
    const [name, entry] = parts.tensors[at]!
    const other = pick(rng, [
      name.toUpperCase(),
      `${name} `,
      `/${name}`,
      '',
      '__proto__',
      'attribution.9',
    ])
    return { ...parts, tensors: parts.tensors.with(at, [other, entry]) }
  }),
  tensors('names of two tensors swapped', (rng, parts) => {
    const [a, b] = rng.shuffle([...parts.tensors.keys()])
    const [nameA, entryA] = parts.tensors[a!]!
    const [nameB, entryB] = parts.tensors[b!]!
    const swapped = parts.tensors.with(a!, [nameB, entryA]).with(b!, [nameA, entryB])
    return { ...parts, tensors: swapped }
  }),
]

function tensors(name: string, make: (rng: Rng, parts: Parts) => Parts): FileKind {
  return {
    group: 'tensors',
    name,
    draw: (rng, facts) => ({
      bytes: drawUntil(
        () => putTogether(make(rng, takeApart(facts.file))),
        (file) => findFault(file, facts) !== null,
      ),
    }),
  }
}

/** Changes one field of what is said of one tensor, or leaves it out. */
function entry(
  name: string,
  field: 'dtype' | 'shape' | 'data_offsets',
  make: (rng: Rng, entry: Entry, parts: Parts) => unknown,
): FileKind {
  return tensors(name, (rng, parts) => {
    const at = integer(rng, parts.tensors.length)
    const [tensor, described] = parts.tensors[at]!
    const value = rng.next() < 0.1 ? undefined : make(rng, described, parts)
    return { ...parts, tensors: parts.tensors.with(at, [tensor, { ...described, [field]: value }]) }
  })
}
