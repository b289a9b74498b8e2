import type { ErrorCode } from '../../../../shared/errors.ts'
import type { Rng } from '../../../../shared/numeric/rng.ts'
import { hex, integer, pick } from '../../draw.ts'
import type { RunFacts } from '../../run-facts.ts'
import type { MessageKind } from '../kind.ts'
import { encodeEvent } from '../packets.ts'
import { type EventName, type Message, validMessages } from '../valid-messages.ts'

type Valid = Record<EventName, Message>

/** Messages that would be valid at another time, or of something else. */
export const turnKinds: readonly MessageKind[] = [
  outOfTurn('round that is not open', ['GRAFT_ROUND_STALE'], (rng, valid) => [
    'update:begin',
    { ...valid['update:begin'], round: pick(rng, [0, 2, 3, 2 ** 40, Number.MAX_SAFE_INTEGER]) },
  ]),
  outOfTurn('chunk or commit of nothing', ['GRAFT_UPLOAD_UNKNOWN'], (rng, valid) => {
    const event = pick(rng, ['update:chunk', 'update:commit'] as const)
    return [event, { ...valid[event], round: pick(rng, [0, 1, 2, 2 ** 40]) }]
  }),
  outOfTurn('blob that is not offered', ['GRAFT_BLOB_UNKNOWN'], (rng) => [
    'blob:pull',
    { id: hex(rng, 64), offset: pick(rng, [0, 1, 2 ** 40]), length: 1 + integer(rng, 1 << 20) },
  ]),
  outOfTurn('update too large', ['GRAFT_UPLOAD_TOO_LARGE'], (rng, valid) => {
    const sizeBytes = pick(rng, [2 ** 20, 2 ** 31, 2 ** 32 + integer(rng, 99), 2 ** 53 - 1])
    return ['update:begin', { ...valid['update:begin'], sizeBytes }]
  }),
  outOfTurn('event that there is not', ['GRAFT_MESSAGE_INVALID'], (rng, valid) => {
    const made = `${pick(rng, ['update', 'operator', 'round'])}:${hex(rng, 1 + integer(rng, 20))}`
    const event = pick(rng, [made, made, made, ...KNOWN_ELSEWHERE])
    return [event, pick(rng, Object.values(valid))]
  }),
]

/** Of the other direction, of objects, of Node.js and of nobody. */
const KNOWN_ELSEWHERE = [
  ...['round:invited', 'round:published', 'run:finished', 'connection:closed'],
  ...['toString', 'constructor', '__proto__', 'hasOwnProperty', 'error', 'message', 'close'],
  ...['', 'UPDATE:BEGIN', 'update:begin ', 'x'.repeat(50_000), '\0'],
]

function outOfTurn(
  name: string,
  codes: readonly ErrorCode[],
  make: (rng: Rng, valid: Valid) => readonly [string, Message],
): MessageKind {
  return {
    group: 'out of turn',
    name,
    on: 'admitted',
    weight: 16,
    draw: (rng, facts: RunFacts, id) => {
      const [event, message] = make(rng, validMessages(facts))
      return { frames: [encodeEvent(event, message, id)], expects: 'refused', codes }
    },
  }
}
