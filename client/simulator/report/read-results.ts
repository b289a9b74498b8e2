import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { GraftError, orGraftError } from '../../../shared/errors.ts'
import { RunReport } from '../../../shared/protocol/run-report.ts'
import { StudyReport } from '../../../shared/protocol/study-report.ts'

/** Folders of a study lie this deep: a strategy in it, a seed in that. */
const DEEPEST = 2

export interface Results {
  readonly runs: readonly RunReport[]
  /** That made them; null where nothing says. */
  readonly command: string | null
}

/**
 * Reads runs from what Graft wrote: `results.json` of a report, the file of `--json`, `report.json` of one run, or a
 * folder that `simulate` worked in, whose finished rounds count.
 *
 * @throws GraftError GRAFT_FILE_UNREADABLE, GRAFT_FILE_NOT_FOUND and the like; GRAFT_OPTION_INVALID for another file
 */
export async function readResults(path: string): Promise<Results> {
  const files = await reportFiles(path)
  if (files.length === 0) {
    throw new GraftError(
      'GRAFT_OPTION_INVALID',
      `${path} holds no report.json, nor does a folder in it: give a folder that graft simulate worked in, or a file of results.`,
    )
  }
  const found: Results[] = []
  for (const file of files) found.push(await readFileOfResults(file))
  return {
    runs: found.flatMap(({ runs }) => runs),
    command: found.length === 1 ? found[0]!.command : null,
  }
}

async function reportFiles(path: string, depth = 0): Promise<string[]> {
  const info = await orGraftError(() => stat(path))
  if (!info.isDirectory()) return [path]
  const entries = await orGraftError(() => readdir(path, { withFileTypes: true }))
  const own = entries.filter((entry) => entry.isFile() && entry.name === 'report.json')
  const below = depth < DEEPEST ? entries.filter((entry) => entry.isDirectory()) : []
  const deeper: string[] = []
  for (const { name } of below) deeper.push(...(await reportFiles(join(path, name), depth + 1)))
  return [...own.map(({ name }) => join(path, name)), ...deeper.sort()]
}

async function readFileOfResults(file: string): Promise<Results> {
  const content = parsed(file, await orGraftError(() => readFile(file, 'utf8')))
  const study = StudyReport.safeParse(content)
  if (study.success) return study.data
  const runs = (Array.isArray(content) ? content : [content]).map((run: unknown) =>
    RunReport.safeParse(run),
  )
  const fault = runs.find(({ success }) => !success)?.error?.issues[0]
  if (runs.length > 0 && fault === undefined) {
    return { runs: runs.map(({ data }) => data!), command: null }
  }
  const where =
    fault === undefined ? '' : ` (${fault.path.join('.') || 'at the top'}: ${fault.message})`
  throw new GraftError(
    'GRAFT_OPTION_INVALID',
    `${file} is no results.json and no report of a run${where}: give what graft simulate wrote with --report or --json.`,
  )
}

function parsed(file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new GraftError('GRAFT_OPTION_INVALID', `${file} is not JSON: give a file of results.`)
  }
}
