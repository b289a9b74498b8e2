import type { ClientToServer } from '../../../shared/protocol/messages.ts'
import type { RunFacts } from '../run-facts.ts'

export type Message = Readonly<Record<string, unknown>>
export type EventName = keyof ClientToServer

/** Each message as an invited client may send it: where every mutation starts. */
export function validMessages({ model, file, sha256 }: RunFacts): Record<EventName, Message> {
  const counts = { numExamples: 10, classCounts: [4, 3, 2, 1] }
  return {
    'run:join': {},
    'client:ready': counts,
    'client:progress': { round: 1, phase: 'training', done: 0.5, loss: 0.3 },
    'blob:pull': { id: model.id, offset: 0, length: 1 << 20 },
    'update:begin': { round: 1, sizeBytes: file.length, sha256 },
    'update:chunk': { round: 1, offset: 0, chunk: file.subarray(0, 64) },
    'update:commit': { round: 1, ...counts, seconds: { train: 1, attribute: 0.5, upload: 0.25 } },
    'evaluation:decline': { round: 1 },
    'evaluation:report': { round: 1, accuracy: 0.9, loss: 0.4, numExamples: 10 },
  }
}

export const validAuth = (name: string, token: string): Message => ({
  protocol: 1,
  token,
  name,
  version: '0.1.0',
  engine: 'fuzz',
})
