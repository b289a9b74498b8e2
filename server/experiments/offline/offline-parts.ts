import type { Dataset } from '../../../shared/data/example-set.ts'
import { parseArchitecture } from '../../../shared/model/architectures.ts'
import { createRng } from '../../../shared/numeric/rng.ts'
import type { Row } from '../../../shared/protocol/experiment-report.ts'
import { drawFrom } from '../draw-from.ts'
import { type FindData, type GridData, namedData, proxyImagesOf } from '../grid-data.ts'
import { runOfflineCase } from './offline-case.ts'
import type { OfflineGrid } from './offline-grid.ts'
import { modelFor } from '../model-for.ts'
import type { ExperimentPart } from '../run-preset.ts'
import { isSharedByAll, trainParents, type TrainedParents } from '../train-parents.ts'

/** Parents of deep networks are scored on few examples: each takes a pass at eleven points. */
const SCORED_EXAMPLES = 100

/** A part a row and seed: the parents are trained, fused by every method, and tuned. */
export function offlineParts(
  grid: OfflineGrid,
  engine: string,
  find: FindData = namedData,
): ExperimentPart[] {
  const load = keepLast((_: string, make: () => Promise<Dataset>) => make())
  const train = keepLast((_: string, make: () => Promise<TrainedParents>) => make())
  return partsOf(grid).map(({ dataset: name, model, partition, parents, seed }) => {
    const row: Row = { dataset: name, model, partition, parents }
    return {
      key: `${Object.values(row).join(', ')}, seed ${seed}`,
      async run(signal) {
        const data = find(name)
        const whole = await load([name, data.own === null ? '' : seed].join(), () =>
          data.load(seed, signal),
        )
        const rng = createRng(String(seed)).split('test')
        const dataset = { ...whole, test: drawFrom(whole.test, grid.testImages, rng) }
        // Parents that see the same images are the same whatever their number: rows share them.
        const count = isSharedByAll(partition) ? Math.max(...grid.parents) : parents
        const trained = await train([name, model, partition, count, seed].join(), () =>
          trainAll(dataset, { grid, data, model, partition, parents: count, seed, signal }),
        )
        const own = { ...trained, parents: trained.parents.slice(0, parents) }
        const input = { row, seed, model, grid, dataset, trained: own, signal }
        return { engine, cases: [await runOfflineCase(input)] }
      },
    }
  })
}

function trainAll(
  dataset: Dataset,
  of: {
    readonly grid: OfflineGrid
    readonly data: GridData
    readonly model: string
    readonly partition: string
    readonly parents: number
    readonly seed: number
    readonly signal: AbortSignal | undefined
  },
): Promise<TrainedParents> {
  const { grid, partition, parents, seed } = of
  const { epochs, ...training } = grid.training
  const { train } = dataset
  const architectureOf = (spec: string) => parseArchitecture(modelFor(spec, train), train)
  return trainParents(
    dataset,
    architectureOf(of.model),
    {
      ...{ parents, partition, seed, epochs, training },
      ...{ pool: proxyImagesOf(of.data, grid.proxyImages), examplesPerParent: grid.images },
      architectures: (grid.parentModels ?? [of.model]).map(architectureOf),
      scoredExamples: SCORED_EXAMPLES,
    },
    of.signal,
  )
}

/** Those that share a data set and parents one behind the other. */
function partsOf(grid: OfflineGrid) {
  return grid.datasets.flatMap((dataset) =>
    grid.models.flatMap((model) =>
      grid.partitions.flatMap((partition) =>
        grid.seeds.flatMap((seed) =>
          grid.parents.map((parents) => ({ dataset, model, partition, seed, parents })),
        ),
      ),
    ),
  )
}

/** Remembers the last value alone: all networks of an experiment would not fit. */
function keepLast<Argument, Value>(
  make: (key: string, argument: Argument) => Promise<Value>,
): (key: string, argument: Argument) => Promise<Value> {
  let last: { readonly key: string; readonly value: Promise<Value> } | undefined
  return (key, argument) => {
    if (last?.key !== key) last = { key, value: make(key, argument) }
    return last.value
  }
}
