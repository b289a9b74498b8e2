import type { ErrorCode } from '../../../../shared/errors.ts'
import type { Rng } from '../../../../shared/numeric/rng.ts'
import { JOIN_TOKEN } from '../../coordinator/words.ts'
import { drawUntil, hex, integer, pick } from '../../draw.ts'
import { isValidAuth } from '../contract.ts'
import type { MessageKind, Mutant } from '../kind.ts'
import { isPlain, type MutationName, MUTATIONS } from '../mutate-value.ts'
import { encodeConnect, encodeEvent } from '../packets.ts'
import { validAuth, validMessages } from '../valid-messages.ts'

const VALID = validAuth('intruder', JOIN_TOKEN)
const CODES = ['GRAFT_MESSAGE_INVALID', 'GRAFT_PROTOCOL_VERSION', 'GRAFT_TOKEN_INVALID'] as const

/** Who connects, with a token that is right but for the kinds about tokens. */
export const handshakeKinds: readonly MessageKind[] = [
  ...(Object.keys(MUTATIONS) as MutationName[]).map((name) =>
    handshake(name, 3, (rng) =>
      refused(
        drawUntil(
          () => MUTATIONS[name](VALID, rng),
          (auth) => !isValidAuth(auth),
        ),
      ),
    ),
  ),
  handshake('other version of the protocol', 3, (rng) =>
    refused({ ...VALID, protocol: pick(rng, [0, 2, -1, 99, 2 ** 53 - 1, 2 + integer(rng, 1e9)]) }, [
      'GRAFT_PROTOCOL_VERSION',
    ]),
  ),
  // The only ones that the coordinator's database is asked about.
  handshake('wrong token', 1, (rng) => {
    const token = pick(rng, [
      hex(rng, 32),
      JOIN_TOKEN.slice(1),
      `${JOIN_TOKEN} `,
      `${JOIN_TOKEN}\0`,
    ])
    return refused({ ...VALID, token }, ['GRAFT_TOKEN_INVALID'])
  }),
  handshake('no auth', 1, () => refused(undefined)),
  handshake('message before the handshake', 2, (rng, id, messages) => ({
    frames: [encodeEvent(...pick(rng, messages), id)],
    expects: 'closed',
  })),
]

function refused(auth: unknown, codes: readonly ErrorCode[] = CODES): Mutant {
  const frames = [encodeConnect(auth)]
  // What is no object has no place in the packet.
  return auth === undefined || isPlain(auth)
    ? { frames, expects: 'refused', codes }
    : { frames, expects: 'closed' }
}

function handshake(
  name: string,
  weight: number,
  make: (rng: Rng, id: number, messages: [string, object][]) => Mutant,
): MessageKind {
  return {
    ...{ group: 'handshake', name, on: 'fresh', weight },
    draw: (rng, facts, id) => make(rng, id, Object.entries(validMessages(facts))),
  }
}
