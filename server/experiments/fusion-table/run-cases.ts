import { join } from 'node:path'
import { claimFolder } from '../../../shared/command/claim-folder.ts'
import { readJson } from '../../../shared/command/read-json.ts'
import { createClock } from '../../../shared/command/run-clock.ts'
import { runInLanes } from '../../../shared/command/run-lanes.ts'
import { FusionTableReport } from '../../../shared/protocol/fusion-table-report.ts'
import { GRAFT_VERSION } from '../../../shared/protocol/graft-version.ts'
import { runGraft } from '../run-graft.ts'
import { type CaseName, casesOf, type FusionTableSettings } from './fusion-case.ts'

export interface CaseProcesses {
  /** Keeps the reports of finished cases; claimed for this table. */
  readonly home: string
  /** Cases beside each other. */
  readonly lanes: number
  /** As asked for. */
  readonly engine: string
  /** Told as each case is done. */
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}

/**
 * Measures each case of a table that the folder does not hold yet in a process of its own, which is
 * `graft experiment fusion-table` of that case alone.
 *
 * @returns a report a case, in the order of the cases
 * @throws GraftError GRAFT_OPTION_INVALID when the folder holds another table; ChildFailed with the status of the
 *   first process that fails, once all have ended
 */
export async function runCases(
  settings: FusionTableSettings,
  { home, lanes, engine, say, signal }: CaseProcesses,
): Promise<FusionTableReport[]> {
  const claim = { name: 'fusion-table', engine, version: GRAFT_VERSION, ...settings }
  await claimFolder(home, 'experiment', claim)
  const cases = casesOf(settings)
  const clock = createClock(cases.length)

  async function act(of: CaseName, either: AbortSignal): Promise<FusionTableReport> {
    const file = join(home, `${of.dataset}-${of.parents}-${of.seed}.json`)
    const before = await reportIn(file)
    if (before === undefined) {
      const words = [...wordsOf(settings, of), '--engine', engine, '--json', file]
      await runGraft(['experiment', 'fusion-table', ...words], either)
    }
    const name = `${of.dataset}, ${of.parents} parents, seed ${of.seed}`
    say(clock.done(name, { isOld: before !== undefined }))
    return before ?? FusionTableReport.parse(await readJson(file))
  }

  return runInLanes(cases, { lanes, act, signal })
}

async function reportIn(file: string): Promise<FusionTableReport | undefined> {
  return FusionTableReport.safeParse(await readJson(file)).data
}

/** The words of the command of this case alone. */
function wordsOf(settings: FusionTableSettings, { dataset, parents, seed }: CaseName): string[] {
  const options = {
    '--dataset': dataset,
    '--parents': parents,
    '--seeds': seed,
    '--methods': settings.methods.join(),
    '--model': settings.model,
    '--partition': settings.partition,
    '--epochs': settings.epochs,
    '--zero-shot-images': settings.zeroShotImages,
    '--tuned-images': settings.tunedImages,
    '--tune-epochs': settings.tuneEpochs,
    '--judge-on': settings.judgeOn,
  } satisfies Record<string, string | number>
  return Object.entries(options).flatMap(([option, value]) => [option, String(value)])
}
