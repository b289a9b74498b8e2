import { MAX_MESSAGE_BYTES } from '../../../../shared/protocol/messages.ts'
import type { Rng } from '../../../../shared/numeric/rng.ts'
import { bytes, integer, joined, pick } from '../../draw.ts'
import type { MessageKind, Mutant } from '../kind.ts'
import { encodeEvent } from '../packets.ts'

/** engine.io's text packets, and WebSocket frames. They are read before anyone is known, so strangers send them. */
export const frameKinds: readonly MessageKind[] = [
  frame('engine.io text', 'not accepted', (rng) => [
    pick(rng, [
      ...[
        '',
        '0',
        '1',
        '2',
        '2probe',
        '3',
        '4',
        '5',
        '6',
        '7',
        '42["run:join",{}]',
        '40{"token":1}',
      ],
      ...[
        '4{"type":2}',
        '0{"sid":"x"}',
        'b',
        'bAAAA',
        `b${'A'.repeat(999)}`,
        'b!',
        '\ud83d\ude00',
        '\0',
      ],
      String.fromCharCode(...bytes(rng, 1 + integer(rng, 99))),
    ]),
  ]),
  frame('engine.io base64', 'not accepted', (rng) => [
    `b${Buffer.from(encodeEvent('run:join', {}, integer(rng, 9))).toString('base64')}`,
  ]),
  frame('WebSocket frame without a mask', 'closed', (rng) => [
    raw([pick(rng, [0x81, 0x82]), 0x05], bytes(rng, 5)),
  ]),
  frame('reserved WebSocket opcode', 'closed', (rng) => [
    raw([0x80 | pick(rng, [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]), 0x80], bytes(rng, 4)),
  ]),
  frame('reserved WebSocket bits', 'closed', (rng) => [
    raw([0x82 | pick(rng, [0x10, 0x20, 0x40, 0x70]), 0x81], bytes(rng, 5)),
  ]),
  frame('length of a frame without end', 'closed', (rng) => [
    raw([0x82, 0xff, pick(rng, [0x00, 0x7f, 0xff])], bytes(rng, 2), [0xff, 0xff, 0xff, 0xff, 0xff]),
  ]),
  frame('WebSocket control frame too long', 'closed', (rng) => [
    raw([pick(rng, [0x88, 0x89, 0x8a]), 0xfe, 0x01, 0x00], bytes(rng, 4 + 256)),
  ]),
  frame('continuation of nothing', 'closed', (rng) => [raw([0x80, 0x83], bytes(rng, 4 + 3))]),
  frame('text that is no UTF-8', 'closed', () => [raw([0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28])]),
  frame('odd close frame', 'closed', (rng) => [
    raw([0x88, 0x82, 0, 0, 0, 0], [0x03, pick(rng, [0, 0xec, 0xed, 0xee, 0xff])]),
  ]),
  // A megabyte each.
  frame('message above the limit', 'closed', (rng) => [
    new Uint8Array(MAX_MESSAGE_BYTES + 1 + integer(rng, 99)),
  ]),
]

const raw = (...parts: (Uint8Array | readonly number[])[]) => ({ raw: joined(...parts) })

function frame(
  name: string,
  expects: Mutant['expects'],
  make: (rng: Rng) => Mutant['frames'],
): MessageKind {
  return {
    group: 'frame',
    name,
    on: 'fresh',
    draw: (rng) => ({ frames: make(rng), expects }),
  }
}
