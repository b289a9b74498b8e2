import { GraftError } from '../../shared/errors.ts'
import { createPrivacy, type Privacy, type Spent } from './privacy.ts'

export interface PrivacyWords {
  readonly clip: number | undefined
  readonly noise: number | undefined
  readonly delta: number
}

/**
 * What `--dp-clip`, `--dp-noise` and `--dp-delta` ask for.
 *
 * @param out is told what has been spent with each update
 * @throws GraftError GRAFT_OPTION_INVALID for one of the two without the other
 */
export function privacyOf(
  { clip, noise, delta }: PrivacyWords,
  out: { write(text: string): unknown },
): Privacy | null {
  if (clip === undefined && noise === undefined) return null
  if (clip === undefined || noise === undefined) {
    const [given, missing] = clip === undefined ? ['noise', 'clip'] : ['clip', 'noise']
    const problem = `--dp-${missing} is missing: --dp-${given} needs it.`
    throw new GraftError('GRAFT_OPTION_INVALID', problem)
  }
  return createPrivacy({
    ...{ clip, noise, delta },
    onRelease: (spent) => out.write(`${describeSpent(spent)}\n`),
  })
}

/** One line. */
export function describeSpent({ releases, epsilon, epsilonOfReplacement, delta }: Spent): string {
  const updates = releases === 1 ? '1 update' : `${releases} updates`
  return `privacy: (${epsilon.toFixed(2)}, ${delta}) after ${updates} of this process, against taking part or not; (${epsilonOfReplacement.toFixed(2)}, ${delta}) against other data`
}
