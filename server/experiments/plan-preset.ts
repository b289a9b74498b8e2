import { findDataset } from '../../shared/data/datasets.ts'
import { parsePartition } from '../../shared/data/partition.ts'
import { GraftError } from '../../shared/errors.ts'
import { parseArchitecture } from '../../shared/model/architectures.ts'
import { parseStrategy } from '../fusion/strategies.ts'
import {
  FEDERATION_MEASURES,
  type FederationGrid,
  type Rehearsal,
} from './federation/federation-grid.ts'
import { federationParts } from './federation/federation-parts.ts'
import { modelFor } from './model-for.ts'
import { type OfflineGrid, offlineMeasures } from './offline/offline-grid.ts'
import { offlineParts } from './offline/offline-parts.ts'
import type { Preset } from './preset.ts'
import type { ExperimentPlan } from './run-preset.ts'
import { isSharedByAll } from './train-parents.ts'

/** What the command line may put in place of a preset's own. */
export interface PresetOptions {
  readonly isQuick: boolean
  readonly datasets: readonly string[] | undefined
  readonly partitions?: readonly string[] | undefined
  readonly seeds: readonly number[] | undefined
  readonly methods: readonly string[] | undefined
  /** Of federations. */
  readonly rehearse?: readonly Rehearsal[] | undefined
  readonly engine: string
}

/**
 * A preset with its options, checked before anything is trained.
 *
 * @throws GraftError GRAFT_DATASET_UNKNOWN, GRAFT_STRATEGY_UNKNOWN, GRAFT_ARCHITECTURE_INVALID for a wrong name;
 *   GRAFT_OPTION_INVALID for a list without items, or twice the same
 */
export function planPreset(preset: Preset, options: PresetOptions): ExperimentPlan {
  const { name, summary, claims } = preset
  const { isQuick, engine } = options
  const common = { name, summary, claims, isQuick, engine, command: commandOf(preset, options) }
  if (preset.kind === 'offline') {
    const grid = gridOf(preset, options)
    checkNames(grid, [...grid.models, ...(grid.parentModels ?? [])])
    const measures = offlineMeasures(grid)
    const { images, proxyImages, testImages } = grid
    const subsets = grid.datasets.map(
      (dataset) =>
        `${dataset}: at most ${images} training images a parent, ${proxyImages} proxy images, ` +
        `${testImages} of the test split`,
    )
    return { ...common, grid, measures, subsets, parts: offlineParts(grid, engine) }
  }
  const { rehearse } = options
  const grid = { ...gridOf(preset, options), ...(rehearse && { rehearse }) }
  checkNames(grid, [grid.model])
  const measures = grid.measures.map((measure) => FEDERATION_MEASURES[measure])
  const subsets = grid.datasets.map(
    (dataset) =>
      `${dataset}: at most ${grid.images} training images a client, ${grid.proxyImages} proxy images, ` +
      'all of the test split',
  )
  return { ...common, grid, measures, subsets, parts: federationParts(grid, engine) }
}

/** What the command line calls the lists of a grid. */
const WORDS = {
  datasets: '--dataset',
  partitions: '--partition',
  seeds: '--seeds',
  methods: '--methods',
  rehearse: '--rehearse',
} as const

function gridOf<Grid extends OfflineGrid | FederationGrid>(
  { full, quick }: { readonly full: Grid; readonly quick: Grid },
  { isQuick, datasets, partitions, seeds, methods }: PresetOptions,
): Grid {
  const grid: Grid = {
    ...(isQuick ? quick : full),
    ...(datasets && { datasets }),
    ...(partitions && { partitions }),
    ...(seeds && { seeds }),
    ...(methods && { methods }),
  }
  for (const key of ['datasets', 'partitions', 'seeds', 'methods'] as const) {
    const items: readonly unknown[] = grid[key]
    if (items.length > 0 && new Set(items).size === items.length) continue
    throw new GraftError(
      'GRAFT_OPTION_INVALID',
      `${WORDS[key]} "${items.join()}" must be one item or more, none of them twice.`,
    )
  }
  return grid
}

function checkNames(
  { datasets, partitions, methods }: OfflineGrid | FederationGrid,
  models: readonly string[],
): void {
  methods.forEach(parseStrategy)
  partitions.filter((name) => !isSharedByAll(name)).forEach(parsePartition)
  const shapes = datasets.map(findDataset)
  for (const shape of shapes) {
    for (const model of models) parseArchitecture(modelFor(model, shape), shape)
  }
}

function commandOf({ name }: Preset, options: PresetOptions): string {
  const words = Object.entries(WORDS).flatMap(([key, word]) => {
    const items = options[key as keyof typeof WORDS]
    return items === undefined ? [] : [word, items.join()]
  })
  const { isQuick } = options
  return ['graft experiment', name, ...(isQuick ? ['--quick'] : []), ...words].join(' ')
}
