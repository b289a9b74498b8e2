/**
 * How one weight belongs to the neurons of a level. Seen as [..., repeats, width, ...], `axis` of the
 * weight indexes them: index = repeat * width + neuron. `repeats` is 1 but for a dense kernel that
 * reads a flattened feature map [height, width, channel], where each channel has height*width rows.
 */
export interface Member {
  /** Name of the weight, as in {@link import('./weights.ts').NamedTensor}. */
  readonly weight: string
  /**
   * kernel, bias: produce the neurons; gamma, beta, movingMean, movingVariance: the batch normalisation
   * behind them; reader: the next level's kernel, whose input axis reads them.
   */
  readonly role: 'kernel' | 'bias' | 'gamma' | 'beta' | 'movingMean' | 'movingVariance' | 'reader'
  readonly axis: number
  readonly repeats: number
}

/** One level: neurons that must be kept, permuted or pruned together in every member weight. */
export interface Level {
  /** 0-based, input side first. */
  readonly index: number
  /** The layer that produces the neurons (dense or conv2d). */
  readonly layer: string
  /** Number of neurons: units or channels. */
  readonly width: number
  /** The last level, whose neurons are the classes; it has no reader and is never pruned or permuted. */
  readonly isHead: boolean
  readonly members: readonly Member[]
}
