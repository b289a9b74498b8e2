import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { planRun } from '../../server/coordinator/run-plan.ts'
import { createWorkbench, type Workbench } from '../../server/coordinator/workbench.ts'
import { openBlobs } from '../../server/store/blobs.ts'
import { GraftError } from '../../shared/errors.ts'
import { BlobId, RoundNumber } from '../../shared/ids.ts'
import {
  BlobPull,
  ClientAuth,
  ClientProgress,
  ClientReady,
  EvaluationDecline,
  EvaluationReport,
  RunJoin,
  UpdateBegin,
  UpdateChunk,
  UpdateCommit,
} from '../../shared/protocol/messages.ts'
import { msgpackParser, type Packet } from '../../shared/protocol/msgpack-parser.ts'
import { startTestEngine } from '../support/engine.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'
import { RUN } from '../support/test-gateway.ts'
import {
  hashOf,
  inspect,
  TOY_DATASET,
  TOY_NETWORK,
  TOY_SETTINGS,
  TOY_WIDTHS,
  toyUpdate,
  toyWeights,
} from '../support/toy-run.ts'
import type { AttackResult } from './attack.ts'
import type { Sample } from '../support/memory-sample.ts'
import { isValidAuth, isValidMessage, isValidPacket } from './messages/contract.ts'
import { judge } from './messages/judge.ts'
import { MESSAGE_KINDS } from './messages/kinds.ts'
import { createMessageStream } from './messages/message-stream.ts'
import { encodeEvent } from './messages/packets.ts'
import type { Frame } from './messages/raw-connection.ts'
import { validAuth, validMessages } from './messages/valid-messages.ts'
import type { RunFacts } from './run-facts.ts'
import { drawFile } from './safetensors/file-stream.ts'
import { findFault } from './safetensors/find-fault.ts'
import { FILE_KINDS } from './safetensors/kinds.ts'
import { createTally } from './tally.ts'
import { judgeAttack } from './verdict.ts'
import { watchStage } from './watch.ts'

const { bytes: file, round } = toyUpdate('fuzz')
const FACTS: RunFacts = {
  run: RUN,
  model: { id: BlobId.parse('0'.repeat(64)), sizeBytes: 100 },
  update: {
    ...{ round, architecture: TOY_NETWORK.name, numExamples: 10, classCounts: [4, 3, 2, 1] },
    ...{ scorer: TOY_SETTINGS.scorer, weights: toyWeights('fuzz') },
    scores: TOY_WIDTHS.map((width) => new Float32Array(width).fill(1)),
  },
  file,
  sha256: hashOf(file),
}

const SCHEMAS = {
  'run:join': RunJoin,
  'client:ready': ClientReady,
  'client:progress': ClientProgress,
  'blob:pull': BlobPull,
  'update:begin': UpdateBegin,
  'update:chunk': UpdateChunk,
  'update:commit': UpdateCommit,
  'evaluation:decline': EvaluationDecline,
  'evaluation:report': EvaluationReport,
}

describe('malformed messages', () => {
  it('should be the same for the same seed, and others for another', () => {
    const frames = (seed: number) => {
      const stream = createMessageStream(seed, FACTS)
      return Array.from({ length: 500 }, (_, index) => {
        return stream.draw(index).mutant.frames.map(digestOf)
      })
    }
    expect(frames(1)).toEqual(frames(1))
    expect(frames(2)).not.toEqual(frames(1))
  })

  it('should be of every kind within one period', () => {
    const stream = createMessageStream(3, FACTS)
    const drawn = Array.from({ length: stream.period }, (_, index) => stream.draw(index).kind)
    expect(new Set(drawn)).toEqual(new Set(MESSAGE_KINDS))
  })

  it('should not pass the parser and the schemas', () => {
    const stream = createMessageStream(4, FACTS)
    const passed: string[] = []
    for (let index = 0; index < 4 * stream.period; index++) {
      const { kind, mutant } = stream.draw(index)
      // What is wrong with the others is not in the message itself.
      if (!['payload', 'handshake', 'MessagePack'].includes(kind.group)) continue
      if (/token|before the handshake/.test(kind.name)) continue
      const [frame] = mutant.frames
      if (frame instanceof Uint8Array && isAccepted(frame)) passed.push(`${index} ${kind.name}`)
    }
    expect(passed).toEqual([])
  })

  it('should start from messages that the contract and the schemas accept', () => {
    for (const [event, message] of Object.entries(validMessages(FACTS))) {
      expect(isValidMessage(event, message), event).toBe(true)
      expect(isValidPacket({ type: 2, nsp: '/', data: [event, message], id: 1 }), event).toBe(true)
      expect(isAccepted(encodeEvent(event, message, 1)), event).toBe(true)
    }
    expect(isValidAuth(validAuth('ada', 'x'))).toBe(true)
  })
})

describe('judge', () => {
  const refused = { frames: [], expects: 'refused' } as const
  const refusal = { ok: false, code: 'GRAFT_MESSAGE_INVALID', message: 'No.' }

  it('should take a refusal with the right code for one', () => {
    expect(judge(refused, { type: 'answered', reply: refusal }).problem).toBeUndefined()
    expect(judge({ ...refused, expects: 'told' }, { type: 'closed', told: refusal })).toEqual({
      outcome: 'closed GRAFT_MESSAGE_INVALID',
    })
  })

  it.each([
    ['was accepted', { type: 'answered', reply: { ok: true } }],
    ['was admitted', { type: 'admitted' }],
    ['was not answered', { type: 'silent' }],
    ['was not foreseen', { type: 'answered', reply: { ...refusal, code: 'GRAFT_INTERNAL' } }],
    ['was passed over', { type: 'ignored' }],
    ['was closed', { type: 'closed', told: undefined }],
    [
      'was GRAFT_ROUND_STALE',
      { type: 'answered', reply: { ...refusal, code: 'GRAFT_ROUND_STALE' } },
    ],
    ['was answered', { type: 'answered', reply: { ...refusal, code: 'GRAFT_NO_SUCH_CODE' } }],
  ] as const)('should say that a message %s', (problem, outcome) => {
    expect(judge(refused, outcome).problem).toContain(problem)
  })
})

describe('malformed updates', () => {
  let bench: Workbench
  let folder: Awaited<ReturnType<typeof createTemporaryFolder>>

  beforeAll(async () => {
    await startTestEngine()
    folder = await createTemporaryFolder()
    const blobs = await openBlobs(join(folder.path, 'blobs'))
    bench = createWorkbench(planRun(TOY_SETTINGS, TOY_DATASET, null), blobs)
  })

  afterAll(async () => {
    bench.dispose()
    await folder[Symbol.asyncDispose]()
  })

  it('should be the same for the same seed, and others for another', () => {
    const files = (seed: number) => FILE_KINDS.map((_, index) => drawFile(seed, index, FACTS))
    expect(files(1)).toEqual(files(1))
    expect(files(2)).not.toEqual(files(1))
  })

  it('should be refused by the workbench', () => {
    const accepted: string[] = []
    for (let index = 0; index < 20 * FILE_KINDS.length; index++) {
      const { kind, file } = drawFile(5, index, FACTS)
      const isTooLarge = file.bytes.length > bench.maxUpdateBytes
      if (kind.group === 'transfer' || isTooLarge) continue
      if (!isRefused(file.bytes)) accepted.push(`${index} ${kind.group}: ${kind.name}`)
    }
    expect(accepted).toEqual([])
  })

  it('should not be what the workbench accepts', () => {
    expect(isRefused(file)).toBe(false)
    expect(findFault(file, FACTS)).toBeNull()
    // A flipped bit that leaves a weight finite is another valid update.
    const flipped = Uint8Array.from(file)
    flipped[flipped.length - 3 - 4 * 16] = 1
    expect(findFault(flipped, FACTS)).toBeNull()
    expect(isRefused(flipped)).toBe(false)
  })

  function isRefused(bytes: Uint8Array): boolean {
    try {
      inspect(bench, { ...toyUpdate('fuzz'), bytes })
      return false
    } catch (error) {
      // Anything else would reach a client as GRAFT_INTERNAL.
      if (error instanceof GraftError) return true
      throw error
    }
  }
})

describe('judgeAttack', () => {
  it('should find nothing wrong with an attack that nothing came of', () => {
    expect(judgeAttack(healthy()).filter(({ isOk }) => !isOk)).toEqual([])
  })

  it.each<[string, Partial<AttackResult>]>([
    ['lived', { exit: 1 }],
    ['lived', { exit: 'SIGSEGV' }],
    ['lived', { problem: 'The round has not published a model.' }],
    ['complained', { complaints: 'MaxListenersExceededWarning' }],
    ['complained', { output: 'x is undefined (GRAFT_INTERNAL)' }],
    ['malformed message', { messages: withViolation() }],
    ['malformed update', { wanted: { messages: 0, files: 1 } }],
    ['journal', { honestUpdates: new Map() }],
    ['stranger', { members: healthy().members.slice(1) }],
    ['stored as a blob', { blobs: { before: ['a'], after: ['a', 'b'] } }],
    ['handle', { idle: [sample(), sample(), sample({ resources: { TCPSocketWrap: 2 } })] }],
    ['handle', { idle: [sample(), sample(), sample({ openFiles: 100 })] }],
    ['handle', { idle: [sample(), sample()] }],
    ['quarantine', { leftBehind: { ...healthy().leftBehind, quarantined: 1000 } }],
    ['memory', { watches: [watched(sample(), sample({ heapMb: 200 }))] }],
    ['memory', { watches: [watched(sample(), sample({ residentMb: 900 }))] }],
    ['event loop', { watches: [watched(sample(), sample({ longestBlockMs: 6000 }))] }],
  ])('should find that the invariant about %s is broken', (what, change) => {
    const broken = judgeAttack({ ...healthy(), ...change }).filter(({ isOk }) => !isOk)
    expect(broken.map(({ invariant }) => invariant).join()).toContain(what)
  })
})

// Helpers

/** Frames are compared by it: some have a megabyte. */
function digestOf(frame: Frame): string {
  if (typeof frame === 'string') return frame
  return hashOf('raw' in frame ? frame.raw : frame)
}

/** Whether the product takes the bytes for a valid message or handshake. */
function isAccepted(frame: Uint8Array): boolean {
  const decoder = new msgpackParser.Decoder()
  let packet: Packet | undefined
  decoder.on('decoded', (decoded: Packet) => (packet = decoded))
  try {
    decoder.add(frame)
  } catch {
    return false
  }
  if (packet?.nsp !== '/') return false
  const { type, data } = packet
  if (type === 0) {
    const auth = ClientAuth.safeParse(data)
    return auth.success && auth.data.protocol === 1 && auth.data.name !== undefined
  }
  if (type !== 2) return false
  const [event, message] = data as [keyof typeof SCHEMAS, unknown]
  return Object.hasOwn(SCHEMAS, event) && SCHEMAS[event].safeParse(message).success
}

function sample(changes: Partial<Sample> = {}): Sample {
  return {
    ...{ type: 'sample', residentMb: 400, heapMb: 100, peakRssMb: 450, longestBlockMs: 20 },
    ...{ resources: { TCPSocketWrap: 1, Timeout: 3 }, openFiles: 50 },
    ...changes,
  }
}

function watched(...samples: Sample[]): AttackResult['watches'][number] {
  const { onSent } = watchStage('messages', null as never, 1)
  return { stage: 'messages', onSent, samples: samples.map((of, i) => ({ ...of, sent: i + 1 })) }
}

function withViolation() {
  const tally = createTally()
  tally.violate('every malformed message is refused', 'message 1 was accepted')
  return tally
}

function healthy(): AttackResult {
  const update = {
    ...{ blob: FACTS.sha256, numExamples: 10, classCounts: [4, 3, 2, 1], sizeBytes: file.length },
    seconds: { train: 1, attribute: 1, upload: 1 },
  }
  const client = 'honest' as AttackResult['members'][number]
  const of = { round: RoundNumber.parse(1), client }
  const publication = { blob: FACTS.sha256, isNew: true }
  return {
    ...{ wanted: { messages: 0, files: 0 }, messages: createTally(), files: createTally() },
    ...{ watches: [watched(sample(), sample())], idle: [sample(), sample(), sample()] },
    ...{ blobs: { before: ['a'], after: ['a'] }, honestUpdates: new Map([[client, update.blob]]) },
    ...{ members: [client], problem: null, exit: 0, complaints: '', output: '', seconds: 1 },
    leftBehind: {
      journal: [
        { type: 'client-ready', ...of },
        { type: 'update-received', ...of, update },
        { type: 'model-evaluated', round: of.round, publication },
      ],
      ...{ clients: [client], audit: {}, quarantined: 0 },
    },
  }
}
