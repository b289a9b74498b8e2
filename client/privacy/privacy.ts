import type { Weights } from '../../shared/model/weights.ts'
import { epsilonOf } from '../../shared/numeric/gaussian-accountant.ts'
import { createPrivacyLedger, type PrivacyLedger } from './privacy-ledger.ts'
import { privatise, type PrivacySettings } from './privatise.ts'
import { createSecureNormal } from './secure-normal.ts'

export interface PrivacyOptions extends PrivacySettings {
  readonly delta: number
  /** Told after each update that was made. */
  readonly onRelease?: (spent: Spent) => void
  /** What was told before, and where it is noted. @default of this process alone */
  readonly ledger?: PrivacyLedger
  /** @default createSecureNormal() */
  readonly normal?: () => number
}

/** What has become known of this client's data, at most. */
export interface Spent {
  readonly releases: number
  /** Against whether the client took part with its data or with none: the update would be 0, a change of at most C. */
  readonly epsilon: number
  /** Against any other data in the place of the client's: a change of at most 2 C. */
  readonly epsilonOfReplacement: number
  readonly delta: number
}

/**
 * Differential privacy of one client against the coordinator and all others: what it sends is clipped, noised and counted.
 *
 * What else would tell of its data is left out, as no noise is accounted for it: attribution scores are not sent, class counts
 * say as many of each class, the published model is not judged on its examples, and neither losses nor the seconds of a phase
 * are told. That it takes part, and when it answers, is seen by everybody.
 *
 * No amplification by sampling is claimed: whoever runs the rounds knows who is in each.
 */
export interface Privacy {
  /** @returns fresh weights that may be sent */
  readonly release: (trained: Weights, start: Weights) => Weights
  readonly spent: () => Spent
}

/** Examples of each class that a private client says it has: the same whatever it has. */
const TOLD_OF_A_CLASS = 100

export function createPrivacy({
  clip,
  noise,
  delta,
  onRelease,
  ledger = createPrivacyLedger(),
  normal = createSecureNormal(),
}: PrivacyOptions): Privacy {
  const spent = (): Spent => {
    const count = ledger.countAt(noise)
    return {
      releases: ledger.releases(),
      epsilon: epsilonOf({ noise, sampling: 1, count }, delta),
      epsilonOfReplacement: epsilonOf({ noise: noise / 2, sampling: 1, count }, delta),
      delta,
    }
  }

  return {
    release(trained, start) {
      // Counted whether it arrives or not: nobody knows who has seen how much of it.
      ledger.add(noise)
      const released = privatise(trained, start, { clip, noise }, normal)
      onRelease?.(spent())
      return released
    },
    spent,
  }
}

/** Class counts that say nothing. */
export function toldCounts(numClasses: number): { numExamples: number; classCounts: number[] } {
  const classCounts = Array.from({ length: numClasses }, () => TOLD_OF_A_CLASS)
  return { numExamples: numClasses * TOLD_OF_A_CLASS, classCounts }
}
