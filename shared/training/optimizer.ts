import { nativeOps } from '../engine/native-ops.ts'
import { sizeOf } from '../model/weights.ts'
import { createArrayOptimizer } from './array-optimizer.ts'
import { createNativeOptimizer } from './native-optimizer.ts'
import type {
  Optimizer,
  OptimizerSettings,
  OptimizerState,
  TrainedVariable,
} from './optimizer-settings.ts'

/** How many moments each kind keeps for a weight. */
const NUM_MOMENTS = { adam: 2, sgd: 1, 'plain-sgd': 0 } as const satisfies Record<
  OptimizerSettings['optimizer'],
  number
>

/**
 * The optimiser for the engine that runs: TensorFlow's own update ops on native, plain arrays elsewhere.
 *
 * @param variables borrowed; written by `store` alone
 * @param state continues from there; absent begins with moments of 0
 * @throws RangeError when the state is of another optimiser or another model
 */
export async function createOptimizer(
  variables: readonly TrainedVariable[],
  settings: OptimizerSettings,
  state: OptimizerState = initialState(variables, settings),
): Promise<Optimizer> {
  assertFits(state, initialState(variables, settings))
  const native = nativeOps()
  return native === undefined
    ? createArrayOptimizer(variables, settings, state)
    : createNativeOptimizer(native, { variables, ...settings, state })
}

function initialState(
  variables: readonly TrainedVariable[],
  { optimizer }: OptimizerSettings,
): OptimizerState {
  const moments = variables.map(({ shape }) =>
    Array.from(
      { length: NUM_MOMENTS[optimizer] },
      () => new Float32Array(sizeOf(shape as number[])),
    ),
  )
  return { step: 0, moments }
}

function assertFits(state: OptimizerState, expected: OptimizerState): void {
  const sizes = ({ moments }: OptimizerState) =>
    moments.map((ofWeight) => ofWeight.map(({ length }) => length).join()).join(' ')
  if (sizes(state) !== sizes(expected)) {
    throw new RangeError(`Moments of sizes ${sizes(state)} given, ${sizes(expected)} wanted`)
  }
}
