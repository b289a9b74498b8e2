import * as tf from '@tensorflow/tfjs'
import { drawBalanced } from '../../shared/data/draw.ts'
import type { ExampleSet } from '../../shared/data/example-set.ts'
import { subset } from '../../shared/data/subset.ts'
import { GraftError } from '../../shared/errors.ts'
import type { Rng } from '../../shared/numeric/rng.ts'
import type { FusionInput } from './strategy.ts'

/**
 * The examples that a strategy looks at activations on: all of the proxy set's, or a balanced draw.
 *
 * @param count most examples to take
 * @throws GraftError GRAFT_OPTION_INVALID when there is no proxy set, naming the strategy
 */
export function proxyExamples(
  { proxy }: Pick<FusionInput, 'proxy'>,
  { strategy, count, rng }: { strategy: string; count: number; rng: Rng },
): ExampleSet {
  const size = proxy?.train.labels.length ?? 0
  if (proxy === undefined || size === 0) {
    throw new GraftError(
      'GRAFT_OPTION_INVALID',
      `${strategy} looks at activations and needs a proxy set, and there is none.`,
    )
  }
  if (size <= count) return proxy.train
  const { labels, numClasses } = proxy.train
  return subset(proxy.train, drawBalanced({ labels, numClasses, count, rng }))
}

/** All inputs of a set, [example, ...inputShape]; the caller owns the tensor. */
export function inputTensor(examples: ExampleSet): tf.Tensor {
  const size = examples.labels.length
  const inputs = examples.inputs(Int32Array.from({ length: size }, (_, i) => i))
  return tf.tensor(inputs, [size, ...examples.inputShape], 'float32')
}
