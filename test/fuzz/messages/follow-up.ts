import { isPlain } from './mutate-value.ts'
import { encodeConnect, encodeEvent } from './packets.ts'

/**
 * A valid message behind a malformed one that may be passed over without a word: its answer shows that it was.
 * Each has a number of its own, above those that mutations make.
 */
export interface FollowUp {
  readonly number: number
  readonly frame: Uint8Array
}

const FIRST = 1e12

/** A join where one has joined; a handshake of another version, which is refused, from a stranger. */
export function followUp(on: 'fresh' | 'admitted', index: number): FollowUp {
  const number = FIRST + index
  const frame =
    on === 'fresh' ? encodeConnect({ protocol: number }) : encodeEvent('run:join', {}, number)
  return { number, frame }
}

/** Which follow-up a packet answers, also one that was not waited for any more; null for any other packet. */
export function answeredFollowUp({
  type,
  id,
  data,
}: Readonly<Record<string, unknown>>): number | null {
  if (type === 3) return typeof id === 'number' && id >= FIRST ? id : null
  if (type !== 4 || !isPlain(data)) return null
  const match = /speaks protocol (1\d{12}),/.exec(String(data['message']))
  return match === null ? null : Number(match[1])
}
