import { connect, type News } from '../../client/node/connection.ts'
import { createMailbox } from '../../client/node/mailbox.ts'
import { pullBlob, pushUpdate } from '../../client/node/transfer.ts'
import { ClientId } from '../../shared/ids.ts'
import { decodeSafetensors } from '../../shared/model/safetensors.ts'
import { GRAFT_VERSION } from '../../shared/protocol/graft-version.ts'
import { transferWindow } from '../../shared/protocol/transfer-window.ts'
import {
  type ClientProgress,
  Done,
  type RoundInvited,
  RunJoined,
} from '../../shared/protocol/messages.ts'
import { encodeUpdate, type Update } from '../../shared/protocol/update.ts'

/** What clients did in one round, and when: milliseconds of this process's clock. */
export interface LoadRound {
  readonly round: number
  readonly startedAt: number
  /** The last client has the global model. */
  readonly pulledAt: number
  /** The last update was acknowledged: what is left is the coordinator's own. */
  readonly sentAt: number
  readonly endedAt: number
  /** Payload of all clients, both ways. */
  readonly bytes: number
}

export interface LoadOptions {
  readonly server: string
  readonly token: string
  readonly clients: number
  /** Clients leave when they have heard how this round ended. */
  readonly last: number
  /** Whether clients say how far they are: four times a round, as one does that trains for seconds. */
  readonly report: boolean
  /** Called when all have joined, with the seconds that took, and as each round ends. */
  readonly onJoined: (seconds: number) => void
  readonly onRound: (round: LoadRound) => void
}

const NONE = { train: 0, attribute: 0, upload: 0 }
const CLASSES = 10
/** A client that has not joined yet waits its turn: as many shake hands at once. */
const HANDSHAKES = 100

/** Clients that train nothing: each pulls the global model and sends it back. */
export async function runEchoClients(options: LoadOptions): Promise<void> {
  const { server, token, clients, last, report, onJoined, onRound } = options
  const begun = performance.now()
  const rounds = createRounds(clients, onRound)
  const open = createOpener()
  const waiting = Array.from({ length: clients }, (_, index) => index)
  const running: Promise<void>[] = []
  let joined = 0

  async function joinInTurn(): Promise<void> {
    for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
      const client = await join(index)
      if (++joined === clients) onJoined((performance.now() - begun) / 1000)
      running.push(client())
    }
  }

  async function join(index: number): Promise<() => Promise<void>> {
    const name = ClientId.parse(`client-${index}`)
    const news = createMailbox<News>()
    const auth = { token, name, version: GRAFT_VERSION, engine: 'none' }
    const connection = connect({ servers: [server], auth, retrySeconds: 120, onNews: news.put })
    const say = (progress: Omit<ClientProgress, 'done'>) => {
      for (const done of report ? [0.5, 1] : []) connection.notify({ ...progress, done })
    }
    const { settings } = await connection.request('run:join', {}, RunJoined)
    const facts = factsOf(index)
    const { numExamples } = facts
    await connection.request('client:ready', facts, Done)
    return async () => {
      for (;;) {
        const message = await news.take(connection.over)
        if (message.type === 'round:published') {
          rounds.ended(message.round)
          if (message.round >= last) break
          const report = { round: message.round, accuracy: 0, loss: 1, numExamples }
          await connection.request('evaluation:report', report, Done)
        }
        if (message.type !== 'round:invited') continue
        const { round, model } = message
        rounds.started(round)
        const pulled = await pullBlob(connection, model, {
          windowBytes: transferWindow(settings.clients),
        })
        rounds.pulled(round)
        say({ round, phase: 'training', loss: 1 })
        const own = { ...facts, round, scorer: settings.scorer, scores: [] }
        const bytes = encodeUpdate({ ...own, ...open(pulled, round) })
        say({ round, phase: 'uploading' })
        await pushUpdate(connection, {
          round,
          bytes,
          commit: () => ({ ...facts, seconds: NONE }),
        })
        rounds.moved(round, pulled.length + bytes.length)
      }
      connection.close()
    }
  }

  await Promise.all(Array.from({ length: HANDSHAKES }, joinInTurn))
  await Promise.all(running)
}

/** Each client has others, so that no update is that of another one, as with clients that train. */
const factsOf = (index: number) => {
  const classCounts = Array.from({ length: CLASSES }, () => index + 1)
  return { numExamples: CLASSES * (index + 1), classCounts: classCounts as [number, ...number[]] }
}

type OpenModel = Pick<Update, 'weights' | 'architecture'>

/** All clients get the same: the last model is kept, or a thousand clients would hold it a thousand times. */
function createOpener() {
  let last: { bytes: Uint8Array; round: number; model: OpenModel } | undefined
  return (bytes: Uint8Array, round: RoundInvited['round']): OpenModel => {
    if (last?.round === round && Buffer.compare(last.bytes, bytes) === 0) return last.model
    const { tensors: weights, metadata } = decodeSafetensors(bytes)
    last = { bytes, round, model: { weights, architecture: metadata['architecture'] ?? '' } }
    return last.model
  }
}

function createRounds(clients: number, onRound: (round: LoadRound) => void) {
  const open = new Map<number, { -readonly [Key in keyof LoadRound]: LoadRound[Key] }>()
  const ends = new Map<number, number>()
  const of = (round: number) => open.get(round)!
  return {
    started(round: number): void {
      const now = performance.now()
      if (open.has(round)) return
      open.set(round, { round, startedAt: now, pulledAt: now, sentAt: now, endedAt: now, bytes: 0 })
    },
    pulled(round: number): void {
      of(round).pulledAt = performance.now()
    },
    moved(round: number, count: number): void {
      of(round).sentAt = performance.now()
      of(round).bytes += count
    },
    /** The round is over when the last client has heard of its model. */
    ended(round: number): void {
      const heard = (ends.get(round) ?? 0) + 1
      ends.set(round, heard)
      if (heard < clients) return
      of(round).endedAt = performance.now()
      onRound(of(round))
    },
  }
}
