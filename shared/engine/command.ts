import Table from 'cli-table3'
import { Command } from 'commander'
import { defineCommand } from '../command/command.ts'
import { JSON_OPTION } from '../command/common-options.ts'
import { interruptSignal } from '../command/run-program.ts'
import { writeJson } from '../command/write-json.ts'
import { diagnoseEngines } from './diagnose.ts'
import type { EngineDiagnosis } from './engine-diagnosis.ts'
import { showInstallProgress } from './install-progress.ts'
import { ensureNative } from './install.ts'

const list = defineCommand({
  name: 'list',
  summary: 'which engines this machine can run, and why not the others',
  examples: ['graft engine list', 'graft engine list --json'],
  options: { json: JSON_OPTION },
  async run({ json }) {
    const engines = await diagnoseEngines()
    if (json === undefined) process.stdout.write(`${toTable(engines)}\n`)
    else await writeJson({ version: 1, engines }, json)
  },
})

const install = defineCommand({
  name: 'install',
  summary: 'install the native engine: TensorFlow from your Python package index, 850 MB on disk',
  examples: ['graft engine install', 'GRAFT_CACHE=/srv/graft graft engine install'],
  options: {},
  async run() {
    const onProgress = showInstallProgress(process.stderr)
    const folder = await ensureNative({ signal: interruptSignal(), onProgress })
    process.stdout.write(`The native engine is ready, in ${folder}.\n`)
  },
})

/** `graft engine`: which TensorFlow.js back ends there are, and how the fast one gets here. */
export const engineCommand = new Command('engine')
  .summary('list the TensorFlow.js engines, or install the native one')
  .description('list the TensorFlow.js engines, or install the native one')
  .addCommand(install)
  .addCommand(list)

function toTable(engines: readonly EngineDiagnosis[]): string {
  const table = new Table({
    head: ['engine', 'usable', 'version', 'detail'],
    style: { head: [], border: [] },
  })
  for (const { name, usable, version, detail, remedy, folder } of engines) {
    const lines = [detail, remedy, folder].filter((line) => line !== undefined)
    table.push([name, usable ? 'yes' : 'no', version ?? '', lines.join('\n')])
  }
  return table.toString()
}
