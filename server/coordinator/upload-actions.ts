import { GraftError, toGraftError } from '../../shared/errors.ts'
import type { QuarantinedResource } from '../../shared/protocol/operator/resources.ts'
import { act, actionRefused } from './act.ts'
import { findQuarantined, type KeptUpload } from './find-quarantined.ts'
import type { Operations } from './operations.ts'
import type { OperationsContext } from './operations-context.ts'
import { refusalOf } from './round-state.ts'
import type { Round } from './run-round.ts'

type UploadActions = Pick<Operations, 'quarantine' | 'releaseUpload' | 'removeUpload'>

/** What operators do to uploads that are set aside. */
export function createUploadActions(context: OperationsContext): UploadActions {
  const { store, blobs, board, helm, quarantineFiles } = context

  async function find(id: string): Promise<KeptUpload> {
    const upload = (await findQuarantined(store, quarantineFiles)).find(({ file }) => file === id)
    if (upload === undefined) throw actionRefused(`No upload ${id.slice(0, 200)} is in quarantine.`)
    return upload
  }

  /** The round that still waits for this update. */
  function awaitingRound({ run, round: of, client }: KeptUpload): Round {
    const { session } = helm.steered ?? {}
    const round = session?.run.id === run ? session?.round : undefined
    if (round == null) throw stale(of)
    const refusal = refusalOf(round.state, client, of)
    if (refusal === 'GRAFT_NOT_IN_COHORT') {
      throw new GraftError(refusal, `${client} is not in the cohort of round ${of}.`)
    }
    if (refusal !== null) throw stale(of)
    if (round.state.phase === 'collecting' && client in round.state.updates) {
      throw actionRefused(`Another update of ${client} counts in round ${of} already.`)
    }
    return round
  }

  /** Reads it again, as strictly as it must be: numbers that were announced wrongly are taken from the file. */
  async function examine(upload: KeptUpload) {
    const bytes = await quarantineFiles.read(upload.file)
    const { workbench, session } = helm.steered!
    try {
      const update = workbench.readUpdate(bytes)
      const isOfStart = update.base === undefined || update.base === session.start?.id
      if (update.round === upload.round && isOfStart) return { bytes, update }
    } catch (error) {
      const { problem } = toGraftError(error)
      throw actionRefused(
        `${problem} What is not finite, or not of the run's shape, is never released.`,
      )
    }
    throw actionRefused(
      `It was trained for another round than round ${upload.round}, or from another model.`,
    )
  }

  async function removed(file: string): Promise<void> {
    await quarantineFiles.remove(file)
    board.count({ quarantined: (await findQuarantined(store, quarantineFiles)).length })
    board.changed('quarantine')
  }

  function canRelease(upload: KeptUpload): boolean {
    try {
      awaitingRound(upload)
      return true
    } catch {
      return false
    }
  }

  return {
    async quarantine() {
      const kept = await findQuarantined(store, quarantineFiles)
      return kept.map((upload): QuarantinedResource => {
        const { client, round, sha256, sizeBytes, code, problem, file, at } = upload
        const facts = { client, round, sha256, sizeBytes, code, problem }
        return { id: file, at: at.toISOString(), ...facts, canRelease: canRelease(upload) }
      })
    },

    releaseUpload: (id, by) =>
      act(store, by, {
        ...{ name: 'update:released', details: { file: id } },
        async check() {
          const upload = await find(id)
          awaitingRound(upload)
          return { upload, ...(await examine(upload)) }
        },
        async perform({ upload, bytes, update }) {
          const { client, file, sizeBytes, seconds = UNKNOWN_SECONDS } = upload
          const blob = await blobs.put(bytes)
          const { numExamples, classCounts } = update
          const round = awaitingRound(upload)
          const effects = await round.dispatch({
            ...{ type: 'update-received', round: upload.round, client },
            update: { blob, sizeBytes, numExamples, classCounts, seconds },
          })
          if (effects.some(({ type }) => type === 'reject-update')) throw stale(upload.round)
          board.display.clientState(client, { state: 'uploaded', done: 1 })
          await removed(file)
        },
      }),

    removeUpload: (id, by) =>
      act(store, by, {
        ...{ name: 'update:removed', details: { file: id } },
        check: () => find(id),
        perform: ({ file }) => removed(file),
      }),
  }
}

/** What an older Graft did not keep. */
const UNKNOWN_SECONDS = { train: 0, attribute: 0, upload: 0 }

function stale(round: number): GraftError {
  const problem = `Round ${round} of its run does not take updates now: this takes a round that collects.`
  return new GraftError('GRAFT_ROUND_STALE', problem)
}
