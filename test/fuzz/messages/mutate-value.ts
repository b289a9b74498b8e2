import type { Rng } from '../../../shared/numeric/rng.ts'
import { bytes, hex, integer, pick } from '../draw.ts'
import type { Message } from './valid-messages.ts'

export const isPlain = (value: unknown): value is Record<string, unknown> =>
  Object.prototype.toString.call(value) === '[object Object]'

type Mutation = (message: Message, rng: Rng) => unknown

/** Ways to spoil a message by its structure; each may happen to leave it valid. */
export const MUTATIONS = {
  'field missing': (message, rng) => {
    const path = pick(rng, pathsOf(message))
    return changed(message, path, () => [])
  },
  'field added': (message, rng) => ({
    ...message,
    [pick(rng, ['admin', 'round_', ' ', '', 'x'.repeat(1000), 'toString', hex(rng, 8)])]:
      oddValue(rng),
  }),
  'field renamed': (message, rng) =>
    changed(message, pick(rng, pathsOf(message)), (value, key) => [
      [pick(rng, [key.toUpperCase(), `${key} `, key.slice(0, -1), `_${key}`, `${key}\0`]), value],
    ]),
  'wrong type': (message, rng) =>
    changed(message, pick(rng, pathsOf(message)), (_, key) => [[key, oddValue(rng)]]),
  'odd number': (message, rng) =>
    changed(message, pick(rng, pathsOf(message)), (_, key) => [[key, oddNumber(rng)]]),
  'odd string': (message, rng) =>
    changed(message, pick(rng, pathsOf(message)), (_, key) => [[key, oddString(rng)]]),
  'deep nesting': (message, rng) =>
    changed(message, pick(rng, pathsOf(message)), (value, key) => [[key, nested(value, rng)]]),
  'key of a prototype': (message, rng) => {
    const key = pick(rng, ['__proto__', 'constructor', 'prototype', '__defineGetter__', 'then'])
    const value = pick(rng, [{ ok: true }, { prototype: { ok: true } }, null, 'x'])
    const spoilt = Object.fromEntries([...Object.entries(message), [key, value]])
    return pick(rng, [spoilt, { ...message, seconds: spoilt }])
  },
  'no object': (_, rng) => oddValue(rng),
  'list in place of a field': (message, rng) =>
    changed(message, pick(rng, pathsOf(message)), (value, key) => [
      [key, Array.from({ length: pick(rng, [1, 2, 3000]) }, () => value)],
    ]),
} as const satisfies Record<string, Mutation>
export type MutationName = keyof typeof MUTATIONS

const ODD_NUMBERS = [-1, -0.5, 0.5, NaN, Infinity, -Infinity, 2 ** 53, 1e308, -(2 ** 31), 5e-324]

const oddNumber = (rng: Rng): number | bigint =>
  pick<number | bigint>(rng, [...ODD_NUMBERS, 2n ** 63n, -(2n ** 63n), -integer(rng, 1e6)])

function oddString(rng: Rng): string {
  return pick(rng, [
    '',
    'x'.repeat(100_000),
    '\0',
    '../../../etc/passwd',
    "'; DROP TABLE client; --",
    '\ud800',
    'Client 0',
    hex(rng, 64).toUpperCase(),
    hex(rng, 63),
    '1e9',
  ])
}

function oddValue(rng: Rng): unknown {
  return pick<() => unknown>(rng, [
    () => null,
    () => undefined,
    () => true,
    () => oddNumber(rng),
    () => oddString(rng),
    () => [],
    () => ({}),
    () => bytes(rng, integer(rng, 64)),
    () => [[], [null]],
    () => ({ length: 1e9, 0: 'x' }),
    () => ({ type: 'Buffer', data: [1, 2, 3] }),
  ])()
}

/** Deep, but not so deep that the packer of this process gives up. */
function nested(value: unknown, rng: Rng): unknown {
  let inner = value
  const asList = rng.next() < 0.5
  for (let depth = 20 + integer(rng, 480); depth > 0; depth--) inner = asList ? [inner] : { inner }
  return inner
}

type Path = readonly string[]

/** Every field of a message, those of nested objects too; of a message without fields, one that is not there. */
function pathsOf(message: Message): Path[] {
  const paths = Object.entries(message).flatMap(([key, value]) =>
    isPlain(value) ? [[key], ...pathsOf(value).map((path) => [key, ...path])] : [[key]],
  )
  return paths.length > 0 ? paths : [['absent']]
}

/** Puts other entries in the place of one; a field that is not there is added. */
function changed(
  message: Message,
  [key = '', ...rest]: Path,
  entriesFor: (value: unknown, key: string) => [string, unknown][],
): Record<string, unknown> {
  const entries = Object.entries(key in message ? message : { ...message, [key]: 1 })
  const replaced = entries.flatMap(([name, value]): [string, unknown][] => {
    if (name !== key) return [[name, value]]
    if (rest.length === 0) return entriesFor(value, key)
    return [[name, changed(value as Message, rest, entriesFor)]]
  })
  return Object.fromEntries(replaced)
}
