// A process of clients, as `graft client` runs each; chaos kills it, or drops one client at a time.
import { createHash } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { runNode } from '../../client/node/node.ts'
import { ownClientData } from '../../client/node/own-client-data.ts'
import type { NodeEvent } from '../../client/node/progress.ts'
import type { Participant } from '../../client/node/round.ts'
import type { OutgoingUpdate, TransferOptions } from '../../client/node/transfer.ts'
import { corruptUpdate } from '../../client/simulator/faults/corrupt-update.ts'
import { startEngine } from '../../shared/engine/engine.ts'
import { GraftError } from '../../shared/errors.ts'
import { ClientId } from '../../shared/ids.ts'
import { createRng } from '../../shared/numeric/rng.ts'
import { type ClientNews, ClientProcessOptions, DropClient } from './client-messages.ts'
import { openRecords, type RecordFile } from './client-records.ts'

const RETRY_SECONDS = 600
const AWAY_MS = 150

class Dropped extends Error {
  override readonly name = 'Dropped'
}

type Place = ClientProcessOptions['clients'][number]

const options = ClientProcessOptions.parse(JSON.parse(process.argv[2] ?? ''))
const { name: engineName } = await startEngine(options.engine)
const drops = new Map<string, AbortController>()
process.on('message', (message) => {
  drops.get(DropClient.parse(message).client)?.abort(new Dropped())
})
// Nobody is left to kill this process otherwise.
process.once('disconnect', () => process.exit())
await Promise.all(options.clients.map(live))
process.exit()

/** Takes part until the run is finished; a client that was dropped comes back. */
async function live(place: Place): Promise<void> {
  const records = openRecords(options.records, place.name)
  for (;;) {
    const drop = new AbortController()
    setMaxListeners(50, drop.signal)
    drops.set(place.name, drop)
    try {
      await runNode({
        servers: place.servers,
        token: options.token,
        name: ClientId.parse(place.name),
        engineName,
        retrySeconds: RETRY_SECONDS,
        dataFor: (settings) =>
          ownClientData({ path: options.data, reading: {} }, settings, {
            shard: { index: place.shard, count: options.shards },
          }),
        equip: (participant) => onRecord(participant, records),
        onProgress: (event) => tellOf(place.name, event),
        signal: drop.signal,
      })
      return
    } catch (error) {
      if (!drop.signal.aborted) {
        tell({ type: 'failed', client: place.name, problem: String(error) })
        return
      }
    }
    await delay(AWAY_MS)
  }
}

/** Writes down what becomes of each update, and sends a spoilt one before some. */
function onRecord(participant: Participant, records: RecordFile): Participant {
  const { run, wire } = participant
  const client = participant.joined.clientId

  async function send(update: OutgoingUpdate, transfer: TransferOptions, isHonest: boolean) {
    const { round } = update
    const sha256 = createHash('sha256').update(update.bytes).digest('hex')
    const facts = () => ({ run, round, client, sha256, at: Date.now() })
    records.write({ type: 'sent', isHonest, ...facts() })
    const onFault = ({ code, problem }: GraftError) =>
      records.write({ type: 'sent again', code, problem, ...facts() })
    try {
      await wire.push(update, { ...transfer, onFault })
      records.write({ type: 'acknowledged', ...facts() })
    } catch (error) {
      if (error instanceof GraftError) {
        const { code, problem } = error
        records.write({ type: 'refused', code, problem, ...facts() })
      }
      throw error
    }
  }

  async function push(update: OutgoingUpdate, transfer: TransferOptions): Promise<void> {
    const draw = createRng(`${options.seed}/spoilt/${client}/${update.round}`)
    if (draw.next() < options.spoilt) {
      const spoilt = { ...update, bytes: corruptUpdate(update.bytes, 'nan') }
      await send(spoilt, transfer, false).catch((error: unknown) => {
        if (!(error instanceof GraftError && error.code === 'GRAFT_NOT_FINITE')) throw error
      })
    }
    await send(update, transfer, true)
  }

  return { ...participant, wire: { ...wire, push } }
}

function tellOf(client: string, event: NodeEvent): void {
  switch (event.type) {
    case 'progress':
      return tell({ type: 'phase', client, round: event.round, phase: event.phase })
    case 'accepted':
      return tell({ type: 'phase', client, round: event.round, phase: 'accepted' })
    case 'finished':
      return tell({ type: 'finished', client })
    case 'joined':
    case 'refused':
    case 'evaluated':
    case 'sat-out':
    case 'round-failed':
    case 'left-alone':
      return
  }
}

function tell(news: ClientNews): void {
  if (process.connected) process.send?.(news)
}
