// One coordinator for a long time, in a federation in which something is always wrong: memory and handles must stay flat.
//
//   npm run soak -- [--minutes 20] [--quick] [--seed N] [--engine NAME] [--embedded] [--json FILE]
import { z } from 'zod'
import { defineCommand, numeric } from '../../shared/command/command.ts'
import { interruptSignal, runProgram } from '../../shared/command/run-program.ts'
import { writeJson } from '../../shared/command/write-json.ts'
import { ENGINE_CHOICES } from '../../shared/engine/engine.ts'
import { soak } from './soak.ts'
import { judgeSoak, type SoakSample } from './verdict.ts'

const QUICK_MINUTES = 0.75

const command = defineCommand({
  name: 'soak',
  summary: 'run a coordinator for a long time beside clients that come and go',
  examples: ['npm run soak -- --quick', 'npm run soak -- --minutes 20 --json soak.json'],
  options: {
    minutes: numeric(z.number().positive()).default(20).describe('how long').meta({ value: 'N' }),
    quick: z.literal(true).optional().describe('under a minute: too short for a verdict on memory'),
    seed: numeric(z.int().nonnegative()).default(7).describe('of all faults').meta({ value: 'N' }),
    engine: z.enum(ENGINE_CHOICES).default('wasm').describe('engine').meta({ value: 'NAME' }),
    embedded: z
      .literal(true)
      .optional()
      .describe('the embedded database in place of a new one on PostgreSQL (TEST_DATABASE_URL)'),
    json: z.string().min(1).optional().describe('write the report here').meta({ value: 'FILE' }),
  },
  async run({ minutes: wanted, quick, seed, engine, embedded, json }) {
    const minutes = quick === true ? QUICK_MINUTES : wanted
    const store = embedded === true ? 'embedded database' : 'PostgreSQL'
    console.log(`seed ${seed}, engine ${engine}, ${store}, ${minutes} minutes`)
    const result = await soak({
      ...{ minutes, seed, engine, usesPostgres: embedded !== true, signal: interruptSignal() },
      onSample: (sample) => console.log(line(sample)),
    })
    // What a process needs for its work it has after minutes, not seconds.
    const judged = judgeSoak(result.samples).filter(
      ({ invariant }) => quick !== true || !/memory|heap/.test(invariant),
    )
    const findings = [...result.findings, ...judged]
    const isSound = findings.every(({ isOk }) => isOk)
    const { killedProcesses, droppedClients, links } = result
    console.log(
      `clients: ${killedProcesses} processes killed, ${droppedClients} connections dropped; links cut ${links.cuts} times, slowed ${links.slowed} times`,
    )
    for (const { invariant, isOk, detail } of findings) {
      console.log(`${isOk ? 'ok  ' : 'FAIL'}  ${invariant}: ${detail}`)
    }
    console.log(`seed ${seed}: ${isSound ? 'every invariant holds' : 'NOT every invariant holds'}`)
    if (json !== undefined) {
      await writeJson({ seed, engine, minutes, isSound, ...result, findings }, json)
    }
    process.exitCode = isSound ? 0 : 1
  },
})

await runProgram(command, process.argv)

function line({ minutes, rounds, residentMb, heapMb, openFiles, resources }: SoakSample): string {
  const sockets = resources['TCPSocketWrap'] ?? 0
  return `${minutes.toFixed(1)} min, ${rounds} rounds: resident ${residentMb.toFixed(0)} MiB, heap ${heapMb.toFixed(1)} MiB, ${openFiles ?? '?'} files, ${sockets} sockets, ${resources['Timeout'] ?? 0} timers`
}
