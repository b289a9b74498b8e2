import { existsSync } from 'node:fs'
import { readingFlag, readingOf, readingWords } from '../../shared/command/data-options.ts'
import { DATASETS, findDataset, loadDataset } from '../../shared/data/datasets.ts'
import type { Dataset } from '../../shared/data/example-set.ts'
import { loadOwnData, nameOf, type OwnDataset } from '../../shared/data/own/own-data.ts'
import { GraftError } from '../../shared/errors.ts'
import type { DataShape } from '../../shared/model/architecture.ts'

/** A data set of a grid: one that everybody can have, or the user's own. */
export interface GridData {
  /** In rows and keys. */
  readonly name: string
  readonly shape: DataShape
  /** Null of one that everybody can have. */
  readonly own: {
    readonly sha256: string
    /** Training examples. */
    readonly size: number
  } | null
  /** The words that give it to `graft simulate`. */
  readonly words: readonly string[]
  /**
   * Reads it; the caller owns it. The user's own data are read again for each seed, which draws their test part where
   * they have none.
   */
  load(seed: number, signal?: AbortSignal): Promise<Dataset>
}

/** Data of a grid by what `--dataset` says of them. */
export type FindData = (given: string) => GridData

/** @throws GraftError GRAFT_DATASET_UNKNOWN when no data set has this name */
export const namedData: FindData = (name) => ({
  name,
  shape: findDataset(name),
  own: null,
  words: ['--dataset', name],
  load: (_, signal) => loadDataset(name, { ...(signal && { signal }) }),
})

/** At most a quarter of data of the user's own becomes the proxy set: the parents need the rest. */
export const proxyImagesOf = ({ own }: GridData, wanted: number): number =>
  own === null ? wanted : Math.min(wanted, Math.floor(own.size / 4))

interface OwnDataRequest {
  /** What `--dataset` says: names, and paths of data of the user's own. */
  readonly given: readonly string[]
  readonly reading: Parameters<typeof readingOf>[0]
  readonly onRead: (data: OwnDataset) => void
  readonly signal?: AbortSignal | undefined
}

/**
 * Reads what is no data set by name once, to know what it is.
 *
 * @throws GraftError GRAFT_OPTION_INVALID when two are of one name, or options say how to read data that are not there;
 *   and what `loadOwnData` throws
 */
export async function findGridData(request: OwnDataRequest): Promise<FindData> {
  const { given, reading, onRead, signal } = request
  const found = new Map<string, GridData>()
  for (const path of given.filter(isPath)) {
    const load = (seed: number, aborted = signal) =>
      loadOwnData(path, { ...readingOf(reading), seed, signal: aborted })
    const data = await load(1)
    onRead(data)
    const name = nameOf(path)
    const others = [...Object.keys(DATASETS), ...[...found.values()].map((other) => other.name)]
    if (others.includes(name)) {
      throw invalid(`The results would call two data sets ${name}: rename ${path}.`)
    }
    found.set(path, {
      name,
      shape: data.train,
      own: { sha256: data.runData.sha256, size: data.train.labels.length },
      words: ['--data', path, ...readingWords(reading)],
      load,
    })
  }
  const idle = readingFlag(reading)
  if (idle !== undefined && found.size === 0) {
    throw invalid(`${idle} says how data of your own are read: give --dataset PATH too.`)
  }
  return (item) => found.get(item) ?? namedData(item)
}

/** A word that is neither a name nor there may be a misspelt name. */
const isPath = (given: string): boolean =>
  !Object.hasOwn(DATASETS, given) && (/[/\\.]/.test(given) || existsSync(given))

function invalid(problem: string): GraftError {
  return new GraftError('GRAFT_OPTION_INVALID', problem)
}
