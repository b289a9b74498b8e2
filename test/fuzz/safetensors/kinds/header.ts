import { joinSafetensors } from '../../../../shared/model/safetensors-format.ts'
import type { Rng } from '../../../../shared/numeric/rng.ts'
import { bytes, drawUntil, flipBits, integer, joined, pick } from '../../draw.ts'
import type { RunFacts } from '../../run-facts.ts'
import { findFault } from '../find-fault.ts'
import type { FileKind } from '../kind.ts'
import { headerOf, takeApart } from '../take-apart.ts'

/** The length and the JSON in front of the tensors. */
export const headerKinds: readonly FileKind[] = [
  header('length of the header', (rng, { file }) => {
    const spoilt = Uint8Array.from(file)
    const view = new DataView(spoilt.buffer)
    const right = view.getBigUint64(0, true)
    const off = BigInt(1 + integer(rng, 64))
    const lengths = [
      0n,
      right - off,
      right + off,
      BigInt(file.length),
      100_000_001n,
      2n ** 32n,
      2n ** 63n,
    ]
    view.setBigUint64(0, pick(rng, [...lengths, 2n ** 64n - 1n]), true)
    return spoilt
  }),
  header('JSON cut or broken', (rng, { file }) => {
    const { data, ...described } = takeApart(file)
    const json = headerOf(described)
    const at = integer(rng, json.length)
    const broken = pick(rng, [
      json.slice(0, at),
      `${json.slice(0, at)}${pick(rng, ['{', '}', '"', ',', ':', '\\', '\0', 'NaN', '//'])}${json.slice(at)}`,
      json.replaceAll('"', "'"),
      json.replaceAll(',', ',,'),
      `${json}${json}`,
    ])
    return joinSafetensors(broken, [data])
  }),
  header('JSON of something else', (rng, { file }) => {
    const { data, ...described } = takeApart(file)
    const json = headerOf(described)
    const other = pick(rng, [
      ...[
        '',
        'null',
        '0',
        '""',
        '[]',
        '{}',
        '{"__metadata__":{}}',
        `[${json}]`,
        ` ${json}`,
        `\ufeff${json}`,
      ],
      `{"a":${'['.repeat(500)}${']'.repeat(500)}}`,
      `{"__proto__":${json}}`,
    ])
    return joinSafetensors(other, [data])
  }),
  header('bits flipped in the header', (rng, { file }) => flipBits(rng, file, 0, dataBegin(file))),
  header('header that is no UTF-8', (rng, { file }) => {
    const spoilt = Uint8Array.from(file)
    spoilt[8 + integer(rng, dataBegin(file) - 8)] = pick(rng, [0x80, 0xc0, 0xff, 0xf5])
    return spoilt
  }),
  header('name given twice', (rng, { file }) => {
    const { data, ...described } = takeApart(file)
    const json = headerOf(described)
    const [name, entry] = pick(rng, described.tensors)
    const again = `${JSON.stringify(name)}:${JSON.stringify(entry)}`
    const twice = pick(rng, [
      `{${again},${json.slice(1)}`,
      json.replace('"dtype":"F32"', '"dtype":"F16","dtype":"F32"'),
      json.replace('"format":', '"format":"pt","format":'),
      json.replace('{', '{"__metadata__":{},'),
    ])
    return joinSafetensors(twice, [data])
  }),
  header('huge header', (rng, { file }) => {
    const { data, ...described } = takeApart(file)
    const more = pick(rng, [
      Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`more${i}`, 'x'.repeat(200)])),
      { more: 'x'.repeat(integer(rng, 50_000)) },
    ])
    const metadata = { ...described.metadata, ...more }
    return joinSafetensors(headerOf({ ...described, metadata }), [data])
  }),
  header('any bytes', (rng, { file }) => bytes(rng, 1 + integer(rng, file.length))),
  header('file cut short', (rng, { file }) => file.slice(0, 1 + integer(rng, file.length - 1))),
  header('bytes behind the file', (rng, { file }) =>
    joined(file, bytes(rng, 1 + integer(rng, 64))),
  ),
]

/** Where the tensors of a valid file begin. */
function dataBegin(file: Uint8Array): number {
  return 8 + Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true))
}

function header(name: string, make: (rng: Rng, facts: RunFacts) => Uint8Array): FileKind {
  return {
    group: 'header',
    name,
    draw: (rng, facts) => ({
      bytes: drawUntil(
        () => make(rng, facts),
        (file) => file.length > 0 && findFault(file, facts) !== null,
      ),
    }),
  }
}
