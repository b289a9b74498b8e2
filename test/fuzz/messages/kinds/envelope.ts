import type { Rng } from '../../../../shared/numeric/rng.ts'
import { integer, pick } from '../../draw.ts'
import type { RunFacts } from '../../run-facts.ts'
import type { MessageKind, Mutant } from '../kind.ts'
import { encode, encodeEvent, EVENT } from '../packets.ts'
import { validMessages } from '../valid-messages.ts'

/** socket.io's packet around a message. Most of these end the connection. */
export const envelopeKinds: readonly MessageKind[] = [
  envelope('no answer asked for', 'told', (rng, facts) => {
    const messages = Object.entries(validMessages(facts))
    return [
      encodeEvent(
        ...pick(
          rng,
          messages.filter(([event]) => event !== 'client:progress'),
        ),
      ),
    ]
  }),
  envelope('malformed without a way to answer', 'told', (rng) => [
    encodeEvent('client:progress', { round: 1, phase: 'training', done: 2 + integer(rng, 9) }),
  ]),
  envelope('reserved event', 'closed', (rng, _, id) => {
    const event = pick(rng, [
      'connect',
      'connect_error',
      'disconnect',
      'disconnecting',
      'newListener',
    ])
    return [encodeEvent(event, {}, id)]
  }),
  envelope('event that is no string', 'closed', (rng, _, id) => [
    encodeEvent(pick(rng, [null, 7, {}, [], true, new Uint8Array(3)]), {}, id),
  ]),
  envelope('odd number of the answer', 'not accepted', (rng) => {
    const id = pick(rng, [-1, 0.5, 2 ** 53, NaN, -0, '1', null, [1], {}, true, 2n ** 63n])
    return [encodeEvent('client:ready', { numExamples: 0 }, id)]
  }),
  envelope('odd number of arguments', 'told', (rng, facts, id) => {
    const message = pick(rng, [validMessages(facts)['client:ready'], {}])
    const data = pick(rng, [
      ['client:ready'],
      ['client:ready', message, null],
      ['run:join', {}, {}, {}],
    ])
    return [encode({ type: EVENT, nsp: '/', data, id })]
  }),
  envelope('odd packet type', 'not accepted', (rng, facts, id) => {
    const data = pick(rng, [
      ['client:ready', validMessages(facts)['client:ready']],
      undefined,
      {},
      'x',
    ])
    const type = pick(rng, [0, 3, 4, 5, 6, 7, -1, 1.5, 255, '2', null, undefined, [2], 2 ** 32 + 2])
    return [encode({ type, nsp: '/', ...(data !== undefined && { data }), id })]
  }),
  envelope('odd namespace', 'not accepted', (rng, facts, id) => {
    const nsp = pick(rng, [
      '/admin',
      '',
      'x',
      '//',
      '/'.repeat(10_000),
      '/?x=1',
      7,
      null,
      ['/'],
      {},
    ])
    const data = ['client:ready', validMessages(facts)['client:ready']]
    return [encode({ type: pick(rng, [0, EVENT]), nsp, data, id })]
  }),
  envelope('field of the packet added or missing', 'not accepted', (rng, facts, id) => {
    const data = ['client:ready', validMessages(facts)['client:ready']]
    return [
      encode(
        pick<object>(rng, [
          { nsp: '/', data, id },
          { type: EVENT, data, id },
          { type: EVENT, nsp: '/', id },
          { type: EVENT, nsp: '/', data, id, [pick(rng, ['attachments', 'options', ''])]: 1 },
        ]),
      ),
    ]
  }),
  envelope('no map', 'closed', (rng) => [
    encode(pick(rng, [null, 2, 'x', [2, '/', ['run:join', {}]], true, new Uint8Array(9), []])),
  ]),
  envelope('second handshake', 'closed', () => [
    encode({ type: 0, nsp: '/', data: { protocol: 1 } }),
  ]),
]

function envelope(
  name: string,
  expects: Mutant['expects'],
  make: (rng: Rng, facts: RunFacts, id: number) => Mutant['frames'],
): MessageKind {
  return {
    group: 'envelope',
    name,
    on: 'admitted',
    draw: (rng, facts, id) => ({ frames: make(rng, facts, id), expects }),
  }
}
