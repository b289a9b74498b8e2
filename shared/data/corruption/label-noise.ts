import { GraftError } from '../../errors.ts'
import type { Rng } from '../../numeric/rng.ts'
import type { ExampleSet } from '../example-set.ts'
import {
  ALL_CLIENTS,
  CLIENT_CHOICE_USAGE,
  type ClientChoice,
  parseClientChoice,
} from './client-choice.ts'

/** How it is written, for help and messages. */
export const LABEL_NOISE_USAGE = 'P[@CLIENTS]'

/** Labels of some clients that are wrong with some probability. */
export interface LabelNoise {
  /** That a label is replaced by another class, above 0 and at most 1. */
  readonly probability: number
  readonly clients: ClientChoice
}

/**
 * Reads `0.3` or `0.3@0,2`: the probability, and which clients have it.
 * @throws GraftError GRAFT_OPTION_INVALID naming what is allowed
 */
export function parseLabelNoise(text: string): LabelNoise {
  const [written = '', clients] = text.split(/@(.*)/s, 2)
  const probability = written.trim() === '' ? NaN : Number(written)
  if (!(probability > 0 && probability <= 1)) {
    throw new GraftError(
      'GRAFT_OPTION_INVALID',
      `The label noise "${text}" is not allowed: write ${LABEL_NOISE_USAGE}, with P above 0 and at most 1 and CLIENTS ${CLIENT_CHOICE_USAGE}.`,
    )
  }
  return { probability, clients: clients === undefined ? ALL_CLIENTS : parseClientChoice(clients) }
}

/**
 * Symmetric label noise: with probability p a label is replaced by one of the other classes, each as likely
 * (Ghosh et al. 2017, arXiv:1712.09482, section 3). An example takes two draws whatever p is, so that more
 * noise of the same stream leaves the labels wrong that were wrong with less.
 *
 * @param set borrowed for as long as the result is used
 */
export function addLabelNoise(set: ExampleSet, probability: number, rng: Rng): ExampleSet {
  const { labels, numClasses } = set
  const noisy = Int32Array.from(labels)
  for (let i = 0; i < noisy.length; i++) {
    const isWrong = rng.next() < probability
    const other = Math.floor(rng.next() * (numClasses - 1))
    // The classes but this one, in their order.
    if (isWrong) noisy[i] = other < labels[i]! ? other : other + 1
  }
  return { ...set, labels: noisy }
}
