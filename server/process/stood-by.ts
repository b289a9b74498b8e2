import type { RunId } from '../../shared/ids.ts'
import type { RunStatus, Store } from '../store/store.ts'

const OVER: readonly RunStatus[] = ['finished', 'failed', 'stopped']

/** Runs that are over, before a coordinator stands by. */
export async function runsThatAreOver(store: Store): Promise<ReadonlySet<RunId>> {
  const runs = await store.listRuns()
  return new Set(runs.filter(({ status }) => OVER.includes(status)).map(({ id }) => id))
}

/**
 * Whether the run came to its end that a standby has waited beside: then there is nothing to take over, and the same
 * run again is not what anybody asked for.
 *
 * @param before what was over when it began to wait
 */
export async function hasEndedMeanwhile(
  store: Store,
  before: ReadonlySet<RunId>,
): Promise<boolean> {
  const newest = (await store.listRuns()).at(-1)
  return newest !== undefined && OVER.includes(newest.status) && !before.has(newest.id)
}
