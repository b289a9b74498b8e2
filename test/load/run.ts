// Measures a coordinator alone: a real process, and clients in this one that train nothing and send back what they get.
//
//   npm run load -- [--case 200x0.22] [--quick] [--rounds N] [--seed N] [--engine NAME] [--postgres] [--json FILE]
//
// Exits with 1 when memory grows from round to round: after the last of 50 rounds (x50 behind a case) it may be 5 % above
// that after round 5.
import Table from 'cli-table3'
import { z } from 'zod'
import { defineCommand, numeric } from '../../shared/command/command.ts'
import { ENGINE_OPTION, JSON_OPTION } from '../../shared/command/common-options.ts'
import { list, whole } from '../../shared/command/list-option.ts'
import { runProgram } from '../../shared/command/run-program.ts'
import { writeJson } from '../../shared/command/write-json.ts'
import { createTestDatabase } from '../support/database.ts'
import { parseCase } from './load-case.ts'
import { type LoadResult, measureCase } from './measure-case.ts'

const FULL = ['200x0.22x50', '500x0.22', '1000x0.22', '10x10', '4x95', '2x1000x2']
const QUICK = ['50x0.22', '4x10']
/** A leak shows in so many rounds, and not in fewer. */
const LEAK_ROUNDS = 50
const SETTLED_ROUND = 5
const MOST_GROWTH = 1.05

const loadCommand = defineCommand({
  name: 'load',
  summary: 'how fast and how large a coordinator is, beside clients that train nothing',
  examples: ['npm run load -- --quick', 'npm run load -- --case 200x0.22,10x10 --rounds 10'],
  options: {
    case: list(z.string().min(1))
      .optional()
      .describe(
        `clients and megabytes of a model (default ${FULL.join()}; --quick ${QUICK.join()})`,
      )
      .meta({ value: 'A,B' }),
    rounds: whole.default(5).describe('of a case that does not say').meta({ value: 'N' }),
    quick: z.literal(true).optional().describe('under a minute'),
    seed: numeric(z.int().nonnegative()).default(1).describe('of the run').meta({ value: 'N' }),
    engine: ENGINE_OPTION,
    postgres: z
      .literal(true)
      .optional()
      .describe('a new database for each case on the server that TEST_DATABASE_URL names'),
    json: JSON_OPTION,
  },
  async run({ case: given, rounds, quick, seed, engine, postgres, json }) {
    const cases = (given ?? (quick ? QUICK : FULL)).map((text) => parseCase(text, rounds))
    const screen = json === true ? process.stderr : process.stdout
    const store = postgres === true ? 'PostgreSQL' : 'embedded database'
    screen.write(`seed ${seed}, engine ${engine}, ${store}, Node ${process.version}\n`)
    const results: LoadResult[] = []
    for (const load of cases) {
      const onRound = (line: string) => void process.stderr.write(`${line}\n`)
      const database = postgres === true ? await createTestDatabase() : null
      try {
        results.push(await measureCase(load, { seed, engine, database, onRound }))
      } finally {
        await database?.[Symbol.asyncDispose]()
      }
    }
    screen.write(`${table(results)}\n`)
    const leaking = results.filter(grows)
    for (const { name } of leaking) screen.write(`${name}: memory grows from round to round.\n`)
    if (json !== undefined) await writeJson({ seed, engine, results }, json)
    process.exitCode = leaking.length === 0 ? 0 : 1
  },
})

function grows({ residentMb }: LoadResult): boolean {
  if (residentMb.length < LEAK_ROUNDS) return false
  return residentMb.at(-1)! > MOST_GROWTH * residentMb[SETTLED_ROUND - 1]!
}

function table(results: readonly LoadResult[]): string {
  const head = [
    ...['case', 'rounds', 'join, s', 'median round, s', 'worst, s', 'MB/s both ways'],
    ...['idle, MiB', 'peak, MiB', 'after rounds, MiB'],
  ]
  const rows = results.map((of) => [
    ...[of.name, of.rounds, of.joinSeconds.toFixed(2), of.medianRoundSeconds.toFixed(2)],
    ...[of.worstRoundSeconds.toFixed(2), of.megabytesPerSecond.toFixed(0), of.idleMb, of.peakMb],
    `${of.residentMb[SETTLED_ROUND - 1] ?? of.residentMb[0]} to ${of.residentMb.at(-1)}`,
  ])
  const drawn = new Table({ head, style: { head: [], border: [] } })
  drawn.push(...rows)
  return drawn.toString()
}

await runProgram(loadCommand, process.argv)
