import { GraftError, toGraftError } from '../../shared/errors.ts'
import type { Store } from '../store/store.ts'
import type { Actor } from './operations.ts'

/** One wish of an operator. */
export interface Action<Ready, Result> {
  /** What it is in the audit log, as what has happened, e.g. `run:paused`. */
  readonly name: string
  readonly details: Readonly<Record<string, unknown>>
  /** Whether it can be done now. @throws GraftError why not */
  readonly check: () => Ready | Promise<Ready>
  readonly perform: (ready: Ready) => Promise<Result>
}

/**
 * Does what an operator asks. It is in the audit log before anything happens; what is refused is there with its reason,
 * as `action:refused`.
 *
 * @throws GraftError what `check` or `perform` throws
 */
export async function act<Ready, Result>(
  store: Pick<Store, 'audit'>,
  actor: Actor,
  { name, details, check, perform }: Action<Ready, Result>,
): Promise<Result> {
  try {
    const ready = await check()
    await store.audit({ actor, action: name, details })
    return await perform(ready)
  } catch (error) {
    const { code, problem } = toGraftError(error)
    const refused = { ...details, asked: name, code, problem }
    await store.audit({ actor, action: 'action:refused', details: refused })
    throw error
  }
}

/** @param problem what is so, and what state it would take */
export function actionRefused(problem: string): GraftError {
  return new GraftError('GRAFT_ACTION_REFUSED', problem)
}
