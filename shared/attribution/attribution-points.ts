import type { Chain } from '../model/chain.ts'
import type { AttributionPoint } from './scorer.ts'

/**
 * For each level the op of the chain behind which its neurons are read: its dense or conv2d layer
 * (`pre`), or the first relu behind that (`post`), where there is one before the next level.
 */
export function attributionPoints({ ops }: Chain, point: AttributionPoint): number[] {
  const kernels = ops.flatMap(({ kind }, i) => (kind === 'kernel' ? [i] : []))
  if (point === 'pre') return kernels
  return kernels.map((kernel, level) => {
    const next = kernels[level + 1] ?? ops.length
    const relu = ops.findIndex(({ kind }, i) => kind === 'relu' && i > kernel && i < next)
    return relu === -1 ? kernel : relu
  })
}
