import { GraftError } from '../../shared/errors.ts'
import type { ClientId, RoundNumber, RunId } from '../../shared/ids.ts'
import type { UpdateChecks } from '../../shared/protocol/update-checks.ts'
import { quarantineName } from '../store/quarantine-files.ts'
import { quarantine } from './quarantine.ts'
import type { Updates } from './round-state.ts'
import type { Federation } from './session.ts'

export interface CheckedUpdates {
  readonly run: RunId
  readonly round: RoundNumber
  /** All that were accepted. */
  readonly updates: Updates
  readonly checks: UpdateChecks | undefined
}

/**
 * Puts a copy of each update that was left out of a fusion into quarantine, with the reason; the journal goes on naming the
 * blob. A round that is taken up again finds it there.
 */
export async function setAside(
  federation: Pick<Federation, 'store' | 'blobs' | 'board' | 'quarantineFiles'>,
  { run, round, updates, checks }: CheckedUpdates,
): Promise<void> {
  const { blobs, board, quarantineFiles } = federation
  for (const { client, norm, isSetAside } of checks?.outliers ?? []) {
    const update = updates[client]
    if (!isSetAside || update === undefined) continue
    const file = quarantineName(client, round, update.blob)
    if ((await quarantineFiles.list(client)).some(({ name }) => name === file)) continue
    const path = await blobs.file(update.blob)
    const blob = { id: update.blob, sizeBytes: update.sizeBytes }
    const received = { round, path, blob, seconds: update.seconds, isKept: true }
    const reason = reasonOf(client, norm, checks)
    await quarantine(federation, { run, client }, received, reason)
    board.quarantined(client, reason.problem)
  }
}

function reasonOf(client: ClientId, norm: number, checks: UpdateChecks | undefined): GraftError {
  const median = checks?.median?.norm ?? 0
  const problem = `The update of ${client} has moved the weights by ${norm.toPrecision(3)}, the cohort's median is ${median.toPrecision(3)}.`
  return new GraftError('GRAFT_UPDATE_OUTLIER', problem)
}
