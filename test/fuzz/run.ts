// Attacks a real coordinator process with malformed messages and malformed updates, and exits with 1 when an
// invariant breaks.
//
//   npm run fuzz -- [--quick] [--seed N] [--engine NAME] [--messages N] [--files N] [--json FILE]
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { defineCommand, numeric } from '../../shared/command/command.ts'
import { JSON_OPTION } from '../../shared/command/common-options.ts'
import { whole } from '../../shared/command/list-option.ts'
import { ENGINE_CHOICES } from '../../shared/engine/engine.ts'
import { runProgram } from '../../shared/command/run-program.ts'
import { writeJson } from '../../shared/command/write-json.ts'
import { attack } from './attack.ts'
import { printReport, reportOf } from './report.ts'
import { judgeAttack } from './verdict.ts'

const FULL = { messages: 100_000, files: 10_000 }
const QUICK = { messages: 10_000, files: 1_000 }

const fuzzCommand = defineCommand({
  name: 'fuzz',
  summary: 'send a coordinator malformed messages and updates; nothing may come of them',
  examples: ['npm run fuzz -- --quick', 'npm run fuzz -- --seed 12 --json fuzz.json'],
  options: {
    quick: z.literal(true).optional().describe('a tenth of everything'),
    seed: numeric(z.int().nonnegative())
      .default(1)
      .describe('of all mutations')
      .meta({ value: 'N' }),
    messages: whole.optional().describe('malformed messages').meta({ value: 'N' }),
    files: whole.optional().describe('malformed safetensors files').meta({ value: 'N' }),
    engine: z.enum(ENGINE_CHOICES).default('wasm').describe('engine').meta({ value: 'NAME' }),
    json: JSON_OPTION,
  },
  async run({ quick, seed, engine, json, ...counts }) {
    const { messages, files } = { ...(quick ? QUICK : FULL), ...given(counts) }
    const print = (line: string) =>
      (json === true ? process.stderr : process.stdout).write(`${line}\n`)
    print(`seed ${seed}, engine ${engine}`)
    const home = await mkdtemp(join(tmpdir(), 'graft-fuzz-'))
    try {
      const begun = performance.now()
      const onStage = (line: string) => {
        print(`${((performance.now() - begun) / 1000).toFixed(0).padStart(5)} s  ${line}`)
      }
      const result = await attack({ seed, engine, messages, files, home, onStage })
      const report = reportOf(seed, result, judgeAttack(result))
      printReport(report, print)
      if (json !== undefined) await writeJson(report, json)
      process.exitCode = report.isOk ? 0 : 1
    } finally {
      await rm(home, { recursive: true, force: true })
    }
  },
})

/** Without what was not given. */
function given(counts: { messages?: number | undefined; files?: number | undefined }) {
  const { messages, files } = counts
  return { ...(messages !== undefined && { messages }), ...(files !== undefined && { files }) }
}

await runProgram(fuzzCommand, process.argv)
