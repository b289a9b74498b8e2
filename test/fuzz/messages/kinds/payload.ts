import { drawUntil, pick } from '../../draw.ts'
import { isValidMessage } from '../contract.ts'
import type { MessageKind } from '../kind.ts'
import { type MutationName, MUTATIONS } from '../mutate-value.ts'
import { encodeEvent } from '../packets.ts'
import { type EventName, validMessages } from '../valid-messages.ts'

/** The fields of each message. Answered, so that a connection lasts: these are drawn most. */
export const payloadKinds: readonly MessageKind[] = [
  ...(Object.keys(MUTATIONS) as MutationName[]).map((name): MessageKind => ({
    group: 'payload',
    name,
    on: 'admitted',
    weight: 24,
    draw(rng, facts, id) {
      const valid = validMessages(facts)
      const [event, message] = drawUntil(
        () => {
          const event = pick(rng, Object.keys(valid) as EventName[])
          return [event, MUTATIONS[name](valid[event], rng)] as const
        },
        ([event, message]) => !isValidMessage(event, message),
      )
      return { frames: [encodeEvent(event, message, id)], expects: 'refused' }
    },
  })),
  {
    group: 'payload',
    name: 'that of another event',
    on: 'admitted',
    weight: 24,
    draw(rng, facts, id) {
      const valid = validMessages(facts)
      const events = Object.keys(valid) as EventName[]
      const [event, message] = drawUntil(
        () => [pick(rng, events), valid[pick(rng, events)]] as const,
        ([event, message]) => !isValidMessage(event, message),
      )
      return { frames: [encodeEvent(event, message, id)], expects: 'refused' }
    },
  },
]
