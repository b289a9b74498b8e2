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
import { type FindData, type GridData, namedData, proxyImagesOf } from './grid-data.ts'
import { modelFor } from './model-for.ts'
import { type OfflineGrid, offlineMeasures } from './offline/offline-grid.ts'
import { offlineParts } from './offline/offline-parts.ts'
import type { Preset } from './preset.ts'
import type { ExperimentPlan } from './run-preset.ts'
import { isSharedByAll } from './train-parents.ts'

/** What the command line may put in place of a preset's own. */
export interface PresetOptions {
  readonly isQuick: boolean
  /** Names, or what `find` knows. */
  readonly datasets: readonly string[] | undefined
  /** @default namedData */
  readonly find?: FindData | undefined
  /** Words that say how data of the user's own are read. */
  readonly readingWords?: readonly string[] | undefined
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
  const { isQuick, engine, find = namedData } = options
  const command = commandOf(preset, options)
  const common = { name, summary, claims, isQuick, engine, command }
  if (preset.kind === 'offline') {
    const given = gridOf(preset, options)
    const data = given.datasets.map(find)
    const grid = { ...given, ...namesOf(data) }
    checkNames(grid, data, [...grid.models, ...(grid.parentModels ?? [])])
    const measures = offlineMeasures(grid)
    const { images, testImages } = grid
    const subsets = data.map(
      (of) =>
        `${describe(of)}: at most ${images} training images a parent, ` +
        `${proxyImagesOf(of, grid.proxyImages)} proxy images, ${testImages} of the test split`,
    )
    const parts = offlineParts(grid, engine, byName(data))
    return { ...common, grid, ownData: ownNames(data), measures, subsets, parts }
  }
  const { rehearse } = options
  const given = gridOf(preset, options)
  const data = given.datasets.map(find)
  const grid = { ...given, ...(rehearse && { rehearse }), ...namesOf(data) }
  checkNames(grid, data, [grid.model])
  const measures = grid.measures.map((measure) => FEDERATION_MEASURES[measure])
  const subsets = data.map(
    (of) =>
      `${describe(of)}: at most ${grid.images} training images a client, ` +
      `${proxyImagesOf(of, grid.proxyImages)} proxy images, all of the test split`,
  )
  const parts = federationParts(grid, engine, byName(data))
  return { ...common, grid, ownData: ownNames(data), measures, subsets, parts }
}

/** The data sets of a grid as rows have them; of the user's own also what tells them from others of that name. */
function namesOf(data: readonly GridData[]) {
  const own = data.flatMap(({ name, own }) => (own === null ? [] : { name, sha256: own.sha256 }))
  return { datasets: data.map(({ name }) => name), ...(own.length > 0 && { ownData: own }) }
}

const byName =
  (data: readonly GridData[]): FindData =>
  (name) =>
    data.find((of) => of.name === name)!

const ownNames = (data: readonly GridData[]): string[] =>
  data.filter(({ own }) => own !== null).map(({ name }) => name)

const describe = ({ name, own }: GridData): string =>
  own === null ? name : `${name} (data of your own, ${own.size} training examples)`

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
  { partitions, methods }: OfflineGrid | FederationGrid,
  data: readonly GridData[],
  models: readonly string[],
): void {
  methods.forEach(parseStrategy)
  partitions.filter((name) => !isSharedByAll(name)).forEach(parsePartition)
  for (const { shape } of data) {
    for (const model of models) parseArchitecture(modelFor(model, shape), shape)
  }
}

function commandOf({ name }: Preset, options: PresetOptions): string {
  const words = Object.entries(WORDS).flatMap(([key, word]) => {
    const items = options[key as keyof typeof WORDS]
    return items === undefined ? [] : [word, items.join()]
  })
  const { isQuick, readingWords = [] } = options
  const quick = isQuick ? ['--quick'] : []
  return ['graft experiment', name, ...quick, ...words, ...readingWords].join(' ')
}
