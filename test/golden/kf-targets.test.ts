import { describe, expect, it } from 'vitest'
import { meanMatrix } from '../../shared/numeric/cluster-means.ts'
import { lloyd } from '../../shared/numeric/lloyd.ts'
import { selfProduct, transposed, viewOf } from '../../shared/numeric/matmul64.ts'
import { floats, integers, loadFixture, type Fixture } from './fixture.ts'

for (const name of ['e_kf_targets_mlp2', 'e_kf_targets_mlp3_dead', 'e_kf_targets_conv2'])
  describe(`targets of ${name}`, () => {
    const fixture = loadFixture(name)
    const width = Number(fixture.json['width'])
    const k = fixture.json.k ?? 0
    for (const variant of ['uniform', 'scored', 'scored_normalized'])
      it(`should be the recorded assignment and means for ${variant}`, () => {
        const models = Array.from({ length: k }, (_, m) => activations(fixture, m))
        const clustered = variant.endsWith('normalized') ? models.map(normalizeRows) : models
        const weights = Float64Array.from({ length: k * width }, (_, i) =>
          variant === 'uniform'
            ? 1
            : floats(fixture, `scores.${Math.floor(i / width)}`)[i % width]!,
        )
        const rows = models[0]!.length
        const points = beside(clustered)
        const assignment = lloyd({
          gram: selfProduct(transposed(viewOf(points, k * width))),
          weights,
          initial: Int32Array.from({ length: width }, (_, j) => width + j),
        })
        expect(assignment).toEqual(integers(fixture, `expected.${variant}.assignment`))

        const matrix = meanMatrix(assignment, weights, width)
        const raw = beside(models)
        const T = floatRows(fixture, `expected.${variant}.T`)
        const largest = T.flat().reduce((most, value) => Math.max(most, Math.abs(value)), 0)
        for (let n = 0; n < rows; n++)
          for (let c = 0; c < width; c++) {
            let mean = 0
            for (let i = 0; i < k * width; i++)
              mean += raw[n * k * width + i]! * matrix[i * width + c]!
            expect(Math.abs(mean - T[n]![c]!)).toBeLessThanOrEqual(1e-4 * largest)
          }
      })
  })

// Helpers

function activations(fixture: Fixture, model: number): number[][] {
  return floatRows(fixture, `acts.${model}`)
}

/** Rows [n, width]; [n, channel, height, width] -> rows (n, width, height), columns channel. */
function floatRows(fixture: Fixture, name: string): number[][] {
  const data = floats(fixture, name)
  const [n = 0, channels = 0, height = 1, width = 1] = fixture.tensors.get(name)?.shape ?? []
  const rows: number[][] = []
  for (let i = 0; i < n; i++)
    for (let x = 0; x < width; x++)
      for (let y = 0; y < height; y++)
        rows.push(
          Array.from(
            { length: channels },
            (_, c) => data[((i * channels + c) * height + y) * width + x]!,
          ),
        )
  return rows
}

function normalizeRows(rows: readonly number[][]): number[][] {
  return rows.map((row) => {
    const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0))
    return row.map((value) => value / norm)
  })
}

function beside(models: readonly number[][][]): Float64Array {
  return Float64Array.from(models[0]!.flatMap((_, n) => models.flatMap((rows) => rows[n]!)))
}
