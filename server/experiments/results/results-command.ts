import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { defineCommand } from '../../../shared/command/command.ts'
import { GraftError, toGraftError } from '../../../shared/errors.ts'
import { ExperimentReport } from '../../../shared/protocol/experiment-report.ts'
import { PRESETS } from '../presets.ts'
import { resultsPage } from './results-page.ts'

/** `graft experiment results`. */
export const resultsCommand = defineCommand({
  name: 'results',
  summary: 'one page of the JSON of many experiments: claims, tables, how long each took',
  examples: ['graft experiment results results/ > RESULTS.md'],
  args: ['paths'],
  options: {
    paths: z
      .array(
        z.string().min(1),
        'give reports that `graft experiment NAME --json FILE` wrote, or folders of them',
      )
      .describe('reports, and folders of reports'),
  },
  async run({ paths }) {
    const files = (await Promise.all(paths.map(filesOf))).flat()
    const reports = await Promise.all(files.map(readReport))
    process.stdout.write(`${resultsPage(reports, PRESETS)}\n`)
  },
})

/** The JSON files of a folder, by name; or the file itself. */
async function filesOf(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path]
    const names = (await readdir(path)).filter((name) => name.endsWith('.json')).sort()
    return names.map((name) => join(path, name))
  } catch (error) {
    throw toGraftError(error)
  }
}

async function readReport(file: string): Promise<ExperimentReport> {
  const text = await readFile(file, 'utf8')
  try {
    return ExperimentReport.parse(JSON.parse(text))
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof z.ZodError)) throw error
    throw new GraftError(
      'GRAFT_OPTION_INVALID',
      `${file} is no report of \`graft experiment NAME --json FILE\`.`,
    )
  }
}
