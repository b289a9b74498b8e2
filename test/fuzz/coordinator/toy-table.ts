import { normal } from '../../../shared/numeric/random.ts'
import { createRng } from '../../../shared/numeric/rng.ts'

export const TOY_MODEL = 'mlp:6-12-4'
/** Neurons of each group of {@link TOY_MODEL}. */
export const TOY_WIDTHS = [12, 4]
export const TOY_CLASSES = 4
const NUM_INPUTS = 6

/** A CSV file of four overlapping classes: a coordinator's own data, so small that its files are all structure. */
export function toyTable(rows: number): string {
  const rng = createRng('toy table')
  const lines = Array.from({ length: rows }, (_, row) => {
    const label = row % TOY_CLASSES
    const inputs = Array.from({ length: NUM_INPUTS }, (_, d) => {
      return (Math.cos(1 + 2.4 * label * (d + 1)) + 0.8 * normal(rng)).toFixed(4)
    })
    return [...inputs, `class-${label}`].join()
  })
  return ['a,b,c,d,e,f,kind', ...lines, ''].join('\n')
}
