import { drawUntil, pick } from '../../draw.ts'
import { isValidPacket } from '../contract.ts'
import type { MessageKind } from '../kind.ts'
import { BYTE_MUTATIONS } from '../mutate-bytes.ts'
import { decode, encodeConnect, encodeEvent } from '../packets.ts'
import { type EventName, validAuth, validMessages } from '../valid-messages.ts'

/** The bytes below a packet: of a handshake that a stranger sends, and of an invited client's messages. */
export const msgpackKinds: readonly MessageKind[] = Object.entries(BYTE_MUTATIONS).flatMap(
  ([name, mutate]) =>
    (['fresh', 'admitted'] as const).map((on): MessageKind => ({
      group: 'MessagePack',
      name: `${name}, ${on === 'fresh' ? 'of a handshake' : 'of a message'}`,
      on,
      weight: on === 'fresh' ? 3 : 1,
      draw(rng, facts, id) {
        const valid = validMessages(facts)
        const event = pick(rng, Object.keys(valid) as EventName[])
        // Its token is none: a stranger has no other.
        const auth = validAuth('stranger', 'a-token-of-a-stranger')
        const packet = on === 'fresh' ? encodeConnect(auth) : encodeEvent(event, valid[event], id)
        const bytes = drawUntil(
          () => mutate(packet, rng),
          (bytes) => !isValidPacket(decode(bytes)),
        )
        return { frames: [bytes], expects: 'not accepted' }
      },
    })),
)
