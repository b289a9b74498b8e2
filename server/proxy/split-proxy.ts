import { drawProportional } from '../../shared/data/draw.ts'
import type { ExampleSet } from '../../shared/data/example-set.ts'
import { subset } from '../../shared/data/subset.ts'
import { GraftError } from '../../shared/errors.ts'
import type { Rng } from '../../shared/numeric/rng.ts'

/** Share of the proxy set that nothing is trained on: it stops the tuning and guards the gate. */
export const HELD_OUT_SHARE = 0.2

export interface ProxySplit {
  /** What tuning and distillation see. */
  readonly train: ExampleSet
  /** What decides when tuning stops and what is published. */
  readonly heldOut: ExampleSet
}

/**
 * Splits the proxy set in two, each with the proportions of the classes; at least one example each.
 *
 * @param proxy must outlive both parts
 * @throws GraftError GRAFT_OPTION_INVALID when there are fewer than two examples
 */
export function splitProxy(proxy: ExampleSet, rng: Rng): ProxySplit {
  const size = proxy.labels.length
  if (size < 2) {
    throw new GraftError(
      'GRAFT_OPTION_INVALID',
      `A proxy set of ${size} is too small: it takes one example to tune on and one to judge by.`,
    )
  }
  const count = Math.min(size - 1, Math.max(1, Math.round(size * HELD_OUT_SHARE)))
  const { labels, numClasses } = proxy
  const heldOut = drawProportional({ labels, numClasses, count, rng })
  const isHeldOut = new Uint8Array(size)
  for (const index of heldOut) isHeldOut[index] = 1
  const train = Array.from(labels.keys()).filter((index) => isHeldOut[index] === 0)
  return { train: subset(proxy, train), heldOut: subset(proxy, heldOut) }
}
