import { RUN_OPTIONS } from '../../shared/command/run-options.ts'

/** A simulated client trains for a few seconds; they take turns on the cores, beside what else the machine does. */
const SECONDS_A_CLIENT = 30

/**
 * Seconds a simulated round waits for updates where `--deadline` is not given: as long as any round, and longer for many
 * clients, unless faults are planned that it is to wait for. Not for ever: a client whose training diverges is refused and
 * sends nothing.
 */
export function deadlineOf(
  given: number | undefined,
  { clients, hasFaults }: { readonly clients: number; readonly hasFaults: boolean },
): number {
  if (given !== undefined) return given
  const usual = RUN_OPTIONS.deadline.parse(undefined)
  return hasFaults ? usual : Math.max(usual, SECONDS_A_CLIENT * clients)
}
