import { RUN_OPTIONS } from '../../shared/command/run-options.ts'

/** A day. */
const PATIENCE_SECONDS = 86_400

/**
 * Seconds a simulated round waits for updates when nobody says how many: clients that no fault plan touches all
 * come, and how busy the machine is must not decide whose update counts.
 */
export const deadlineOf = (given: number | undefined, hasFaults: boolean): number =>
  RUN_OPTIONS.deadline.parse(given ?? (hasFaults ? undefined : PATIENCE_SECONDS))
