import { GraftError } from '../../shared/errors.ts'
import type { Network } from '../../shared/model/network.ts'
import { sizeOf } from '../../shared/model/weights.ts'

/** 2 GiB: twice the model that this is made for. */
export const MAX_MODEL_BYTES = 2 ** 31

/** Of its weights, as float32. */
export function bytesOf({ weights }: Pick<Network, 'weights'>): number {
  return weights.reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0)
}

/**
 * A client holds a model several times while it trains; how large it is, is for its owner to say, not for a coordinator.
 *
 * @throws GraftError GRAFT_MODEL_TOO_LARGE
 */
export function assertSmallEnough(bytes: number, what: string, most: number): void {
  if (bytes <= most) return
  throw new GraftError('GRAFT_MODEL_TOO_LARGE', `${what} has ${bytes} bytes, more than ${most}.`)
}
