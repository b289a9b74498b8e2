import Table from 'cli-table3'
import { defineCommand } from '../../shared/command/command.ts'
import { PRESETS } from './presets.ts'

/** `graft experiment list`. */
export const listCommand = defineCommand({
  name: 'list',
  summary: 'the experiments there are, a line each',
  examples: ['graft experiment list'],
  options: {},
  run() {
    const table = new Table({
      head: ['', '', 'claims'],
      style: { head: [], border: [], compact: true },
    })
    for (const { name, summary, claims } of PRESETS) table.push([name, summary, claims.length])
    process.stdout.write(`${table.toString()}\n`)
  },
})
