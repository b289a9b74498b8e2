import { isDeepStrictEqual } from 'node:util'
import { type ErrorCode, GraftError, toGraftError } from '../../shared/errors.ts'
import type { BlobId, ClientId } from '../../shared/ids.ts'
import { isDelta } from '../../shared/model/encodings.ts'
import type { GatewayHandlers, ReceivedUpdate } from '../gateway/gateway.ts'
import { admit } from './admission.ts'
import { quarantine } from './quarantine.ts'
import type { Federation, Session } from './session.ts'
import { refusalOf, type Update } from './round-state.ts'
import type { Workbench } from './workbench.ts'

/** What the coordinator answers to each message of a client. */
export function createClientHandlers(federation: Federation, session: Session): GatewayHandlers {
  const { store, blobs, settings, workbench, display, board } = federation

  return {
    async admit(auth, peer) {
      await session.begun
      return admit(store, auth, peer)
    },

    async onJoin(client) {
      return { run: session.run.id, clientId: client, settings }
    },

    async onReady(client, ready) {
      session.ready.add(client)
      session.announced.set(client, ready)
      display.clientState(client, { state: 'ready' })
      const { round } = session
      await round?.dispatch({ type: 'client-ready', round: round.state.round, client })
      session.arrivals.emit('ready', client)
    },

    onLeft(client) {
      session.ready.delete(client)
      session.record.clientLeft()
      display.clientState(client, { state: 'away' })
      const { round } = session
      // A failed dispatch has ended the round, which says why.
      round
        ?.dispatch({ type: 'client-left', round: round.state.round, client })
        .catch(() => undefined)
    },

    onProgress(client, { phase, done, loss }) {
      display.clientState(client, { state: phase, done, ...(loss !== undefined && { loss }) })
    },

    async readBlob(client, { id, offset, length }) {
      if (!session.offered.has(id)) {
        throw new GraftError('GRAFT_BLOB_UNKNOWN', `${client} asked for blob ${id}.`)
      }
      const bytes = await blobs.read(id, offset, length)
      session.record.bytesDown += bytes.byteLength
      return bytes
    },

    checkUpdate(client, begin) {
      try {
        refuseUnwanted(session, client, begin.round)
        refuseTooLarge(workbench, client, begin.sizeBytes)
      } catch (error) {
        board.refused(client, toGraftError(error).problem)
        throw error
      }
      return workbench.inspectUpdate({ ...begin, base: baseOf(session) })
    },

    onUploadProgress(client, { receivedBytes, sizeBytes }) {
      display.upload(client, receivedBytes, sizeBytes)
    },

    async onUpdate(client, received) {
      refuseUnwanted(session, client, received.round)
      if (hasUpdateOf(session, client)) return
      try {
        received.inspection.finish(received)
        refuseOtherData(session, client, received)
      } catch (error) {
        const reason = toGraftError(error)
        await quarantine(federation, { run: session.run.id, client }, received, reason)
        board.quarantined(client, reason.problem)
        throw error
      }
      await blobs.adopt(received.path, received.blob.id, { isVerified: true })
      await acceptUpdate(session, client, received)
      display.clientState(client, { state: 'uploaded', done: 1 })
      const { round, blob } = received
      const details = { round, blob: blob.id, sizeBytes: blob.sizeBytes }
      await store.audit({ actor: `client:${client}`, action: 'update:accepted', details })
    },

    onDecline(client, { round }) {
      if (round !== session.round?.state.round) return
      session.record.decline(client)
      display.clientState(client, { state: 'done', done: 1 })
    },

    onEvaluation(client, report) {
      if (report.round !== session.round?.state.round) return
      session.record.addEvaluation(client, report)
      display.clientState(client, { state: 'done', done: 1 })
    },
  }
}

/** What updates of the round that goes on must be differences to; undefined where they are weights. */
function baseOf({ start, run }: Session): BlobId | undefined {
  return start !== null && isDelta(run.settings.encoding ?? 'float32') ? start.id : undefined
}

/** Class counts weigh a client's part in the fusion: it may not have others for each update. */
function refuseOtherData({ announced }: Session, client: ClientId, received: ReceivedUpdate): void {
  const ready = announced.get(client)
  // Unknown of one that has not come back since the coordinator was started again.
  if (ready === undefined || isDeepStrictEqual(ready.classCounts, received.classCounts)) return
  throw new GraftError(
    'GRAFT_MESSAGE_INVALID',
    `The update says that ${client} has examples ${describeCounts(received.classCounts)} of the classes; client:ready said ${describeCounts(ready.classCounts)}.`,
  )
}

const describeCounts = (counts: readonly number[]): string =>
  `[${counts.slice(0, 20).join(', ')}${counts.length > 20 ? ', ...' : ''}]`

function refuseTooLarge(
  { networkName, maxUpdateBytes }: Workbench,
  client: ClientId,
  sizeBytes: number,
): void {
  if (sizeBytes <= maxUpdateBytes) return
  throw new GraftError(
    'GRAFT_UPLOAD_TOO_LARGE',
    `${client} announced ${sizeBytes} bytes; an update of ${networkName} has ` +
      `at most ${maxUpdateBytes}.`,
  )
}

async function acceptUpdate(
  { round }: Session,
  client: ClientId,
  received: ReceivedUpdate,
): Promise<void> {
  const { blob, numExamples, classCounts, seconds } = received
  const update: Update = {
    blob: blob.id,
    sizeBytes: blob.sizeBytes,
    numExamples,
    classCounts,
    seconds,
  }
  const effects = await round?.dispatch({
    type: 'update-received',
    round: received.round,
    client,
    update,
  })
  const rejection = effects?.find((effect) => effect.type === 'reject-update')
  if (rejection !== undefined) throw refused(rejection.code, client, received.round)
}

function refuseUnwanted({ round }: Session, client: ClientId, of: number): void {
  const code = round === null ? 'GRAFT_ROUND_STALE' : refusalOf(round.state, client, of)
  if (code !== null) throw refused(code, client, of)
}

/** Sent again after a lost answer: the first update stands, and is neither stored nor noted twice. */
function hasUpdateOf({ round }: Session, client: ClientId): boolean {
  return round?.state.phase === 'collecting' && client in round.state.updates
}

function refused(code: ErrorCode, client: ClientId, round: number): GraftError {
  const problem =
    code === 'GRAFT_NOT_IN_COHORT'
      ? `${client} is not in the cohort of round ${round}.`
      : `Round ${round} does not take updates now.`
  return new GraftError(code, problem)
}
