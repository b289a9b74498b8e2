import { findDataset } from '../../shared/data/datasets.ts'
import { GraftError } from '../../shared/errors.ts'
import { parseArchitecture } from '../../shared/model/architectures.ts'
import { parseStrategy } from '../fusion/strategies.ts'
import { FEDERATION_MEASURES, type FederationGrid } from './federation/federation-grid.ts'
import { federationParts } from './federation/federation-parts.ts'
import { modelFor } from './model-for.ts'
import { type OfflineGrid, offlineMeasures } from './offline/offline-grid.ts'
import { offlineParts } from './offline/offline-parts.ts'
import type { Preset } from './preset.ts'
import type { ExperimentPlan } from './run-preset.ts'

/** What the command line may put in place of a preset's own. */
export interface PresetOptions {
  readonly isQuick: boolean
  readonly datasets: readonly string[] | undefined
  readonly seeds: readonly number[] | undefined
  readonly methods: readonly string[] | undefined
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
  const grid = gridOf(preset, options)
  checkNames(grid, [grid.model])
  const measures = grid.measures.map((measure) => FEDERATION_MEASURES[measure])
  const subsets = grid.datasets.map(
    (dataset) =>
      `${dataset}: at most ${grid.images} training images a client, ${grid.proxyImages} proxy images, ` +
      'all of the test split',
  )
  return { ...common, grid, measures, subsets, parts: federationParts(grid, engine) }
}

function gridOf<Grid extends OfflineGrid | FederationGrid>(
  { full, quick }: { readonly full: Grid; readonly quick: Grid },
  { isQuick, datasets, seeds, methods }: PresetOptions,
): Grid {
  const grid: Grid = {
    ...(isQuick ? quick : full),
    ...(datasets && { datasets }),
    ...(seeds && { seeds }),
    ...(methods && { methods }),
  }
  for (const key of ['datasets', 'seeds', 'methods'] as const) {
    const items: readonly unknown[] = grid[key]
    if (items.length > 0 && new Set(items).size === items.length) continue
    throw new GraftError(
      'GRAFT_OPTION_INVALID',
      `--${key === 'datasets' ? 'dataset' : key} "${items.join()}" must be one item or more, none of them twice.`,
    )
  }
  return grid
}

function checkNames(
  { datasets, methods }: { datasets: readonly string[]; methods: readonly string[] },
  models: readonly string[],
): void {
  methods.forEach(parseStrategy)
  const shapes = datasets.map(findDataset)
  for (const shape of shapes) {
    for (const model of models) parseArchitecture(modelFor(model, shape), shape)
  }
}

function commandOf({ name }: Preset, options: PresetOptions): string {
  const { isQuick, datasets, seeds, methods } = options
  const given = { '--dataset': datasets, '--seeds': seeds, '--methods': methods }
  const words = Object.entries(given).flatMap(([word, items]) =>
    items === undefined ? [] : [word, items.join()],
  )
  return ['graft experiment', name, ...(isQuick ? ['--quick'] : []), ...words].join(' ')
}
