import type { DataShape } from '../../shared/model/architecture.ts'
import { sizeOf } from '../../shared/model/weights.ts'

/** A model's spec with the data's own numbers in place of `IN` and `OUT`, so that `mlp:IN-128-OUT` is of every data set. */
export const modelFor = (spec: string, { inputShape, numClasses }: DataShape): string =>
  spec.replace('IN', String(sizeOf(inputShape))).replace('OUT', String(numClasses))
