import { isPlain } from '../messages/mutate-value.ts'
import type { RunFacts } from '../run-facts.ts'

/**
 * What is wrong with a file as an update of the run, by the safetensors format and PROTOCOL.md, written a
 * second time: the product's own reader is under test. Null for a file that has to be accepted, as one whose
 * flipped bits left a weight finite.
 */
export function findFault(file: Uint8Array, { update }: RunFacts): string | null {
  if (file.length < 8) return 'no length'
  const length = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true)
  if (length > BigInt(file.length - 8)) return 'header beyond the file'
  const end = 8 + Number(length)
  const header = readHeader(file.subarray(8, end))
  if (header === null) return 'header'
  const { __metadata__: metadata, ...described } = header
  const expected = [
    ...update.weights.map(({ name, shape, data }) => ({ name, shape, size: data.length })),
    ...update.scores.map(({ length }, group) => {
      return { name: `attribution.${group}`, shape: [length], size: length }
    }),
  ]
  if (Object.keys(described).length !== expected.length) return 'number of tensors'
  let position = 0
  for (const { name, shape, size } of expected) {
    const entry = described[name]
    if (!isPlain(entry) || entry['dtype'] !== 'F32') return `${name}: dtype`
    if (!isSame(entry['shape'], shape)) return `${name}: shape`
    if (!isSame(entry['data_offsets'], [position, position + 4 * size])) return `${name}: offsets`
    if (end + position + 4 * size > file.length) return `${name}: cut short`
    const view = new DataView(file.buffer, file.byteOffset + end + position)
    for (let i = 0; i < size; i++) {
      const value = view.getFloat32(4 * i, true)
      if (!Number.isFinite(value)) return `${name}: not finite`
      if (name.startsWith('attribution') && value < 0) return `${name}: negative`
    }
    position += 4 * size
  }
  if (end + position !== file.length) return 'bytes behind the last tensor'
  return faultOfMetadata(metadata, update)
}

function faultOfMetadata(metadata: unknown, update: RunFacts['update']): string | null {
  if (!isPlain(metadata)) return 'metadata'
  const { architecture, round, numExamples, classCounts, scorer } = update
  const texts: Record<string, string> = { format: 'graft', architecture, scorer }
  const values: Record<string, unknown> = {
    round,
    num_examples: numExamples,
    class_counts: classCounts,
  }
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== 'string') return `metadata: ${key}`
    if (Object.hasOwn(texts, key) ? value === texts[key] : isSame(parsed(value), values[key]))
      continue
    return `metadata: ${key}`
  }
  return Object.keys(metadata).length === 6 ? null : 'metadata: a field is missing'
}

const isSame = (a: unknown, b: unknown): boolean =>
  b !== undefined && JSON.stringify(a) === JSON.stringify(b)

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function readHeader(bytes: Uint8Array): Record<string, unknown> | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const header: unknown = text.startsWith('{') && !hasNameTwice(text) ? JSON.parse(text) : null
    return isPlain(header) ? header : null
  } catch {
    return null
  }
}

/** Whether an object of a JSON text has a name twice, which `JSON.parse` does not tell. */
function hasNameTwice(json: string): boolean {
  const objects: Set<string>[] = []
  for (const [token, name, colon] of json.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?|[{}]/g)) {
    if (token === '{') objects.push(new Set())
    else if (token === '}') objects.pop()
    else if (name !== undefined && colon !== undefined) {
      const key = JSON.parse(name) as string
      const names = objects.at(-1)
      if (names?.has(key)) return true
      names?.add(key)
    }
  }
  return false
}
