import { z } from 'zod'
import { defineCommand } from '../../../shared/command/command.ts'
import { commandLine } from './command-line.ts'
import { readResults } from './read-results.ts'
import { writeReport } from './write-report.ts'

export const reportCommand = defineCommand({
  name: 'report',
  summary: 'make the page of a simulation that is done, or of its runs that are',
  examples: [
    'graft report out.json --out report/',
    'graft report runs/simulate-2026-11-28-101500 --out report/    (a folder: the runs in it)',
    'graft report monday.json tuesday.json --out report/           (other seeds, or other strategies)',
  ],
  args: ['results'],
  options: {
    results: z
      .array(z.string().min(1))
      .min(1, 'name at least one')
      .describe('results.json, files of simulate --json, or folders that simulate worked in'),
    out: z
      .string()
      .min(1)
      .describe('folder for index.html, results.json and results.csv')
      .meta({ value: 'DIR' }),
  },
  async run({ results, out }) {
    const found = []
    for (const path of results) found.push(await readResults(path))
    const [only] = found
    const before = found.length === 1 ? only!.command : null
    const command = before ?? commandLine(process.argv.slice(2))
    const page = await writeReport(out, { command, runs: found.flatMap(({ runs }) => runs) })
    process.stdout.write(`Report: ${page}\n`)
  },
})
