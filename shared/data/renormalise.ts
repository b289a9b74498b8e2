import type { Normalisation } from './dataset-spec.ts'
import type { ExampleSet } from './example-set.ts'

/**
 * The same examples under another normalisation: x' = (x std + mean - mean') / std' of its channel, the
 * last axis of an input.
 *
 * @param set borrowed for as long as the result is used
 * @param from how `set` is normalised
 * @throws RangeError when one of the two is not for the channels of the inputs
 */
export function renormalise(set: ExampleSet, from: Normalisation, to: Normalisation): ExampleSet {
  const channels = set.inputShape.at(-1) ?? 1
  for (const { mean, std } of [from, to]) {
    if (mean.length !== channels || std.length !== channels)
      throw new RangeError(
        `${mean.length} means and ${std.length} deviations, ${channels} channels`,
      )
  }
  const scale = from.std.map((std, channel) => std / to.std[channel]!)
  const shift = from.mean.map((mean, channel) => (mean - to.mean[channel]!) / to.std[channel]!)
  return {
    ...set,
    inputs(indices) {
      const inputs = set.inputs(indices)
      for (let i = 0; i < inputs.length; i++) {
        const channel = i % channels
        inputs[i] = inputs[i]! * scale[channel]! + shift[channel]!
      }
      return inputs
    },
  }
}
