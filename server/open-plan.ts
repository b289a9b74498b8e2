import { isDeepStrictEqual } from 'node:util'
import type { Dataset } from '../shared/data/example-set.ts'
import { loadDataset } from '../shared/data/datasets.ts'
import type { OwnDataset } from '../shared/data/own/own-data.ts'
import { GraftError } from '../shared/errors.ts'
import type { Layout } from '../shared/model/layouts.ts'
import { openNetwork } from '../shared/model/open-network.ts'
import type { RunSettings } from '../shared/protocol/run-settings.ts'
import { planRun, type RunPlan } from './coordinator/run-plan.ts'
import { fileOf, type ModelFile, startingWeights } from './read-model-file.ts'
import type { BlobStore } from './store/store.ts'

/** What a coordinator was given to make runs from. */
export interface PlanSources {
  /** Null: none. */
  readonly ownData: OwnDataset | null
  /** A model to start from; null: none. */
  readonly initial: ModelFile | null
  /** Of `initial`; what it says of itself when not given. */
  readonly layout: Layout | undefined
  /** Where the models of earlier runs are. */
  readonly blobs: Pick<BlobStore, 'has' | 'get'>
  /** @default loadDataset */
  readonly load?: typeof loadDataset
  readonly signal: AbortSignal
}

/** Plans one run after the other; the data set of the last one stays loaded. */
export interface Planner {
  /** @throws GraftError what settings, data or model make impossible */
  readonly plan: (settings: RunSettings) => Promise<RunPlan>
}

export function createPlanner(sources: PlanSources): Planner {
  const load = sources.load ?? loadDataset
  let loaded: { readonly name: string; readonly dataset: Dataset } | undefined

  async function datasetOf({ dataset: name, data }: RunSettings): Promise<Dataset> {
    if (data !== undefined) return ownDataset(name, data, sources.ownData)
    if (loaded?.name !== name) {
      loaded = { name, dataset: await load(name, { signal: sources.signal }) }
    }
    return loaded.dataset
  }

  return {
    async plan(settings) {
      const dataset = await datasetOf(settings)
      const network = await openNetwork(settings, dataset.train)
      const initial = await initialOf(settings, sources)
      const layout = initial === sources.initial ? sources.layout : undefined
      const weights = initial && (await startingWeights(initial, layout, network))
      return planRun(settings, dataset, weights, network)
    },
  }
}

function ownDataset(
  name: string,
  data: NonNullable<RunSettings['data']>,
  own: OwnDataset | null,
): Dataset {
  if (own !== null && isDeepStrictEqual(own.runData, data)) return own
  throw new GraftError(
    'GRAFT_OPTION_INVALID',
    `The run is on data of the coordinator's own, ${name}, which it has not: start it with --stay --data PATH.`,
  )
}

async function initialOf(
  { initialModel }: RunSettings,
  { initial, blobs }: PlanSources,
): Promise<ModelFile | null> {
  if (initialModel === null) return null
  if (initial?.id === initialModel) return initial
  if (await blobs.has(initialModel)) {
    return fileOf(`model ${initialModel.slice(0, 12)}`, await blobs.get(initialModel))
  }
  throw new GraftError(
    'GRAFT_OPTION_INVALID',
    `The run starts from model ${initialModel}, which is stored nowhere here: start the coordinator with --stay --from FILE.`,
  )
}
