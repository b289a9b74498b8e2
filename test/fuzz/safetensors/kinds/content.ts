import type { Rng } from '../../../../shared/numeric/rng.ts'
import { drawUntil, flipBits, integer, pick } from '../../draw.ts'
import { findFault } from '../find-fault.ts'
import type { FileKind } from '../kind.ts'
import { offsetsOf, type Parts, putTogether, takeApart } from '../take-apart.ts'

/** Numbers and metadata of a file that is otherwise in order. */
export const contentKinds: readonly FileKind[] = [
  content('weight that is not finite', (rng, parts) => {
    const weights = parts.tensors.filter(([name]) => !name.startsWith('attribution.'))
    return withValue(rng, parts, pick(rng, weights), pick(rng, [NaN, Infinity, -Infinity]))
  }),
  content('score that is not finite', (rng, parts) => {
    return withValue(rng, parts, pick(rng, scoresOf(parts)), pick(rng, [NaN, Infinity, -Infinity]))
  }),
  content('negative score', (rng, parts) => {
    return withValue(rng, parts, pick(rng, scoresOf(parts)), pick(rng, [-1, -1e-38, -3e38, -0.5]))
  }),
  // Most flips leave numbers finite: those are drawn again.
  content('bits flipped in the numbers', (rng, parts) => {
    return { ...parts, data: flipBits(rng, parts.data) }
  }),
  ...['architecture', 'round', 'num_examples', 'class_counts', 'scorer', 'format'].map((field) =>
    content(`metadata: ${field}`, (rng, { metadata, ...parts }) => {
      const { [field]: value, ...others } = metadata
      const other = pick<unknown>(rng, [
        ...OTHERS,
        undefined,
        `${String(value)}0`,
        [value],
        [[value]],
      ])
      return { ...parts, metadata: other === undefined ? others : { ...others, [field]: other } }
    }),
  ),
  content('metadata: a field more', (rng, { metadata, ...parts }) => {
    const key = pick(rng, ['admin', '__proto__', 'constructor', 'Round', '', 'framework'])
    const more = Object.fromEntries([...Object.entries(metadata), [key, pick(rng, ['1', '', 7])]])
    return { ...parts, metadata: more }
  }),
  content('metadata that is none', (rng, parts) => {
    const none = pick<unknown>(rng, [null, [], 'x', 1, undefined, {}, [['round', '1']], true])
    return { ...parts, metadata: none as Parts['metadata'] }
  }),
]

/** In the place of a metadata value. */
const OTHERS = [
  ...[
    '',
    '0',
    '2',
    '-1',
    '1.5',
    '1e999',
    'NaN',
    'null',
    '[]',
    '{}',
    '""',
    '[1,2,3]',
    '[4,3,2,1,0]',
  ],
  ...[
    '[4,3,2,-1]',
    '[4,3,2,0.5]',
    '[1,2,3,4]',
    'conductance',
    'deeplift',
    'mlp:6-13-4',
    'lenet',
    'pt',
  ],
  ...['9007199254740993', 'x'.repeat(64), '\0', '{"a":1', 7, null, true, {}, ['x']],
]

const scoresOf = ({ tensors }: Parts) => tensors.filter(([name]) => name.startsWith('attribution.'))

function withValue(rng: Rng, parts: Parts, tensor: Parts['tensors'][number], value: number): Parts {
  const [begin, end] = offsetsOf(tensor)
  const data = Uint8Array.from(parts.data)
  const view = new DataView(data.buffer)
  for (let n = pick(rng, [1, 1, 3, 100]); n > 0; n--) {
    view.setFloat32(begin + 4 * integer(rng, (end - begin) / 4), value, true)
  }
  return { ...parts, data }
}

function content(name: string, make: (rng: Rng, parts: Parts) => Parts): FileKind {
  return {
    group: 'content',
    name,
    draw: (rng, facts) => ({
      bytes: drawUntil(
        () => putTogether(make(rng, takeApart(facts.file))),
        (file) => findFault(file, facts) !== null,
      ),
    }),
  }
}
