import type { RunSettings } from '../../shared/protocol/run-settings.ts'
import type { RoundState } from './round-state.ts'

/** What to tell people of a round that failed; `reached` is how far it came. */
export function withoutModel(
  reached: RoundState,
  { quorum, deadlineSeconds }: Pick<RunSettings, 'quorum' | 'deadlineSeconds'>,
): string {
  const ended = `Round ${reached.round} ended without a model`
  if (reached.phase !== 'collecting') return `${ended}.`
  return (
    `${ended}: ${Object.keys(reached.updates).length} of the ${quorum} updates that it needs (--quorum) came; ` +
    `a round waits ${deadlineSeconds} s for them (--deadline).`
  )
}
