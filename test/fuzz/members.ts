import { createHash } from 'node:crypto'
import { connect, type Connection, type News } from '../../client/node/connection.ts'
import { createMailbox } from '../../client/node/mailbox.ts'
import { pullBlob, pushUpdate } from '../../client/node/transfer.ts'
import { BlobId, ClientId, RoundNumber, type RunId } from '../../shared/ids.ts'
import { decodeSafetensors } from '../../shared/model/safetensors.ts'
import { createRng } from '../../shared/numeric/rng.ts'
import { type BlobRef, Done, RunJoined } from '../../shared/protocol/messages.ts'
import { encodeUpdate, type Update } from '../../shared/protocol/update.ts'
import { TOY_WIDTHS } from './coordinator/toy-table.ts'
import { JOIN_TOKEN } from './coordinator/words.ts'
import type { RunFacts } from './run-facts.ts'
import { within } from './within.ts'

/** An invited client that speaks the protocol as it should. */
export interface Member {
  readonly name: ClientId
  readonly run: RunId
  /** What it was invited to train from. */
  readonly model: BlobRef
  readonly connection: Connection
  /** Resolves when round 1 has published a model; rejects when the connection ends before. */
  published(): Promise<void>
  close(): void
}

export const HONEST = ClientId.parse('honest')
export const attackerNames = (count: number): ClientId[] =>
  Array.from({ length: count }, (_, i) => ClientId.parse(`attacker-${i}`))

/** Connects clients that are ready, and waits until all are invited. @throws Error when one is not */
export async function joinRun(server: string, names: readonly ClientId[]): Promise<Member[]> {
  const joined = await Promise.all(names.map((name) => join(server, name)))
  return Promise.all(joined.map((invited) => invited()))
}

async function join(server: string, name: ClientId): Promise<() => Promise<Member>> {
  const news = createMailbox<News>()
  const connection = connect({
    servers: [server],
    auth: { token: JOIN_TOKEN, name, version: '0.1.0', engine: 'fuzz' },
    retrySeconds: 30,
    onNews: news.put,
  })
  const { run } = await connection.request('run:join', {}, RunJoined)
  await connection.request('client:ready', { numExamples: 10, classCounts: [4, 3, 2, 1] }, Done)

  async function hears<Type extends News['type']>(type: Type) {
    for (;;) {
      const message = await news.take(connection.over)
      if (message.type === type) return message as Extract<News, { type: Type }>
    }
  }
  return async () => {
    const invited = within(30, hears('round:invited'), `${name} is not invited.`)
    return {
      ...{ name, run, connection },
      model: (await invited).model,
      async published() {
        const { round } = await hears('round:published')
        const evaluation = { round, accuracy: 0.5, loss: 1, numExamples: 10 }
        await connection.request('evaluation:report', evaluation, Done)
      },
      close: connection.close,
    }
  }
}

/** What a client knows once it has pulled the model: an update is that model, a little moved. */
export async function learnFacts({ connection, run, model }: Member): Promise<RunFacts> {
  const { tensors, metadata } = decodeSafetensors(await pullBlob(connection, model))
  const update: Update = {
    round: RoundNumber.parse(1),
    architecture: metadata['architecture'] ?? '',
    numExamples: 10,
    classCounts: [4, 3, 2, 1],
    scorer: 'uniform',
    weights: tensors,
    scores: TOY_WIDTHS.map((width) => new Float32Array(width).fill(1)),
  }
  const file = encodeUpdate(update)
  return { run, model, update, file, sha256: hashOf(file) }
}

/** Sends an update that has to be accepted. @returns its blob */
export async function sendHonestly({ connection, name }: Member, { update }: RunFacts) {
  const rng = createRng(`honest/${name}`)
  const weights = update.weights.map((tensor) => ({
    ...tensor,
    data: tensor.data.map((value) => value + 0.01 * rng.next()),
  }))
  const bytes = encodeUpdate({ ...update, weights })
  const { round, numExamples, classCounts } = update
  await pushUpdate(connection, {
    ...{ round, bytes },
    commit: () => ({
      numExamples,
      classCounts: [classCounts[0]!, ...classCounts.slice(1)],
      seconds: { train: 1, attribute: 1, upload: 1 },
    }),
  })
  return hashOf(bytes)
}

const hashOf = (bytes: Uint8Array): BlobId =>
  BlobId.parse(createHash('sha256').update(bytes).digest('hex'))
