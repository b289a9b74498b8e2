import { GraftError } from '../../shared/errors.ts'
import { openPrivacyLedger } from './privacy-ledger.ts'
import { createPrivacy, type Privacy, type Spent } from './privacy.ts'

export interface PrivacyWords {
  readonly clip: number | undefined
  readonly noise: number | undefined
  readonly delta: number
  /** File that counts over all processes of the client. */
  readonly ledger?: string | undefined
}

/**
 * What `--dp-clip`, `--dp-noise` and `--dp-delta` ask for.
 *
 * @param out is told what has been spent with each update
 * @throws GraftError GRAFT_OPTION_INVALID for one of the two without the other; GRAFT_FILE_UNREADABLE for the ledger
 */
export function privacyOf(
  { clip, noise, delta, ledger: file }: PrivacyWords,
  out: { write(text: string): unknown },
): Privacy | null {
  if (clip === undefined && noise === undefined) {
    if (file === undefined) return null
    const problem =
      '--dp-ledger counts what --dp-clip and --dp-noise let out, and they are missing.'
    throw new GraftError('GRAFT_OPTION_INVALID', problem)
  }
  if (clip === undefined || noise === undefined) {
    const [given, missing] = clip === undefined ? ['noise', 'clip'] : ['clip', 'noise']
    const problem = `--dp-${missing} is missing: --dp-${given} needs it.`
    throw new GraftError('GRAFT_OPTION_INVALID', problem)
  }
  return createPrivacy({
    ...{ clip, noise, delta },
    ...(file !== undefined && { ledger: openPrivacyLedger(file) }),
    onRelease: (spent) => out.write(`${describeSpent(spent, file)}\n`),
  })
}

/** One line. @param ledger file of what was counted; undefined: this process alone */
export function describeSpent(
  { releases, epsilon, epsilonOfReplacement, delta }: Spent,
  ledger?: string,
): string {
  const counted = ledger === undefined ? 'of this process' : `in ${ledger}`
  const updates = releases === 1 ? '1 update' : `${releases} updates`
  return `privacy: (${epsilon.toFixed(2)}, ${delta}) after ${updates} ${counted}, against taking part or not; (${epsilonOfReplacement.toFixed(2)}, ${delta}) against other data`
}
