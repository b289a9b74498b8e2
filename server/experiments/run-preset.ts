import { mkdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { claimFolder } from '../../shared/command/claim-folder.ts'
import { readJson } from '../../shared/command/read-json.ts'
import { createClock } from '../../shared/command/run-clock.ts'
import { writeJson } from '../../shared/command/write-json.ts'
import {
  type ExperimentReport,
  FinishedPart,
  type Measure,
} from '../../shared/protocol/experiment-report.ts'
import { GRAFT_VERSION } from '../../shared/protocol/graft-version.ts'
import { judgeClaims } from './judge-claims.ts'
import type { Claim } from './preset.ts'
import { shortHash } from './short-hash.ts'
import { summariseCases } from './summarise.ts'

/** What is run or was run already, as a whole. */
export interface ExperimentPart {
  /** Unique in an experiment, and readable. */
  readonly key: string
  /** @param folder its own, for what it wants to keep while it is not done */
  run(
    signal: AbortSignal | undefined,
    folder: string,
  ): Promise<Pick<FinishedPart, 'engine' | 'cases'>>
}

export interface ExperimentPlan {
  readonly name: string
  readonly summary: string
  readonly isQuick: boolean
  /** As asked for. */
  readonly engine: string
  /** That makes it again. */
  readonly command: string
  readonly grid: { readonly seeds: readonly number[] }
  /** Data sets of the grid that are the user's own, by their names in rows. */
  readonly ownData: readonly string[]
  readonly subsets: readonly string[]
  readonly measures: readonly Measure[]
  readonly claims: readonly Claim[]
  readonly parts: readonly ExperimentPart[]
}

/**
 * Runs the parts of an experiment that its folder does not hold yet, and reports on all.
 *
 * @param home keeps finished parts; claimed for this experiment
 * @param say called with a line as each part is done
 * @throws GraftError GRAFT_OPTION_INVALID when the folder holds another experiment; and what a part throws
 */
export async function runExperiment(
  plan: ExperimentPlan,
  home: string,
  say: (line: string) => void,
  signal?: AbortSignal,
): Promise<ExperimentReport> {
  const { name, isQuick, engine, grid, parts } = plan
  const settings = { name, isQuick, engine, version: GRAFT_VERSION, ...grid }
  await claimFolder(home, 'experiment', settings)
  const clock = createClock(parts.length)
  const finished: FinishedPart[] = []
  for (const part of parts) {
    signal?.throwIfAborted()
    const folder = join(home, folderName(part.key))
    const file = join(folder, 'finished.json')
    const { data: before } = FinishedPart.safeParse(await readJson(file))
    if (before === undefined) {
      await mkdir(folder, { recursive: true })
      const since = performance.now()
      const found = await part.run(signal, folder)
      const seconds = (performance.now() - since) / 1000
      const done = { key: part.key, ...found, seconds }
      await writeJson(done, file)
      finished.push(done)
    } else {
      finished.push(before)
    }
    say(clock.done(part.key, { isOld: before !== undefined }))
  }
  const cases = finished.flatMap((part) => part.cases)
  const { summary, command, subsets, measures, claims, ownData } = plan
  return {
    version: GRAFT_VERSION,
    experiment: name,
    summary,
    isQuick,
    command,
    engine: [...new Set(finished.map(({ engine }) => engine))].join(', '),
    node: process.version,
    cores: availableParallelism(),
    seeds: [...grid.seeds],
    grid: { ...grid },
    subsets: [...subsets],
    seconds: finished.reduce((sum, { seconds }) => sum + seconds, 0),
    measures: [...measures],
    cases,
    means: summariseCases(cases),
    claims: judgeClaims(claims, cases, measures, ownData),
  }
}

/** Readable, and still another one for every key. */
function folderName(key: string): string {
  return `${key.replace(/[^\w.-]+/g, '_').slice(0, 80)}-${shortHash(key)}`
}
