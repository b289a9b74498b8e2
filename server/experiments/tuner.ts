import type * as tf from '@tensorflow/tfjs'
import type { ExampleSet } from '../../shared/data/example-set.ts'
import { type Weights, writeWeights } from '../../shared/model/weights.ts'
import type { Rng } from '../../shared/numeric/rng.ts'
import type { TuneSettings } from '../../shared/protocol/run-settings.ts'
import { evaluate } from '../../shared/training/evaluate.ts'
import type { ProxyExamples } from '../fusion/strategy.ts'
import type { Teacher } from '../proxy/teacher.ts'
import { tune } from '../proxy/tune.ts'

export interface TunerInput {
  /** Holds the network that is looked at; borrowed. */
  readonly model: tf.LayersModel
  readonly proxy: ProxyExamples
  readonly teacher: Teacher | null
  /** What accuracies are of; nothing is learnt or chosen by it. */
  readonly judged: ExampleSet
  readonly settings: TuneSettings
  /** Every tuning draws the same numbers. */
  readonly rng: Rng
  readonly signal: AbortSignal | undefined
}

/** What fused networks and their controls alike go through in an experiment. */
export interface Tuner {
  /** @returns accuracy on the examples that judge */
  judge(weights: Weights): Promise<number>
  /**
   * @param mode by default that of the settings
   * @returns accuracy of the tuned network
   */
  tune(start: Weights, mode?: TuneSettings['mode']): Promise<number>
}

export function createTuner(input: TunerInput): Tuner {
  const { model, proxy, teacher, judged, settings, rng, signal } = input
  const judge = async (weights: Weights): Promise<number> => {
    writeWeights(model, weights)
    return (await evaluate(model, judged)).accuracy
  }
  return {
    judge,
    async tune(start, mode = settings.mode) {
      const { train, heldOut } = proxy
      const { weights } = await tune({
        ...{ model, start, train, heldOut, teacher, rng },
        settings: { ...settings, mode },
        ...(signal && { signal }),
      })
      return judge(weights)
    },
  }
}
