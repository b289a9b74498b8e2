// Measures a coordinator alone: a real process, and clients in this one that train nothing and send back what they get.
//
//   npm run load -- [--case 200x0.22] [--quick] [--rounds N] [--seed N] [--engine NAME] [--few] [--postgres] [--watched] [--profile FOLDER] [--json FILE]
//
// A round is what every coordinator does of one, and what this one does beside it: it judges the fused network, and in its first
// round the initial one, by all test images of MNIST. `--few` leaves next to nothing of that, to compare with those that judge nothing.
//
// Exits with 1 when memory grows from round to round: after the last of 50 rounds (x50 behind a case) it may be 5 % above
// that after round 5, garbage collected. So the peak of such a case is that of a coordinator whose garbage was collected ten times.
// With 20 clients in place of 200, round 5 is over after two seconds, when every process still grows into its work.
import Table from 'cli-table3'
import { z } from 'zod'
import { defineCommand, numeric } from '../../shared/command/command.ts'
import { ENGINE_OPTION, JSON_OPTION } from '../../shared/command/common-options.ts'
import { list, whole } from '../../shared/command/list-option.ts'
import { runProgram } from '../../shared/command/run-program.ts'
import { writeJson } from '../../shared/command/write-json.ts'
import { medianOf } from '../../shared/numeric/median.ts'
import { createTestDatabase } from '../support/database.ts'
import { type Growth, isLeak, READINGS } from './leak-check.ts'
import { parseCase } from './load-case.ts'
import { type LoadResult, measureCase } from './measure-case.ts'
import type { Watched, WatchedRounds } from './watched-rounds.ts'

const FULL = ['200x0.22x50', '500x0.22', '1000x0.22', '10x10', '4x95', '2x1000x2']
const QUICK = ['50x0.22', '4x10']

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
    few: z
      .literal(true)
      .optional()
      .describe('judge each network by 20 examples, not by the 10,000 test images of MNIST'),
    postgres: z
      .literal(true)
      .optional()
      .describe('a new database for each case on the server that TEST_DATABASE_URL names'),
    watched: z
      .literal(true)
      .optional()
      .describe(
        'clients report, and an operator looks at every other five rounds: what that costs',
      ),
    profile: z
      .string()
      .min(1)
      .optional()
      .describe("write the coordinator's CPU profile of each case here, which slows it")
      .meta({ value: 'FOLDER' }),
    json: JSON_OPTION,
  },
  async run({ case: given, rounds, quick, seed, engine, few, postgres, watched, profile, json }) {
    const cases = (given ?? (quick ? QUICK : FULL)).map((text) => parseCase(text, rounds))
    const screen = json === true ? process.stderr : process.stdout
    const store = postgres === true ? 'PostgreSQL' : 'embedded database'
    const hasFewExamples = few === true
    const isWatched = watched === true
    const judged = hasFewExamples ? 'judged by 20 examples' : 'judged by 10,000 images'
    screen.write(`seed ${seed}, engine ${engine}, ${store}, ${judged}, Node ${process.version}\n`)
    const profiles = profile ?? null
    const results: LoadResult[] = []
    for (const load of cases) {
      const onRound = (line: string) => void process.stderr.write(`${line}\n`)
      const database = postgres === true ? await createTestDatabase() : null
      try {
        const setting = { seed, engine, hasFewExamples, isWatched, profiles, database, onRound }
        results.push(await measureCase(load, setting))
      } finally {
        await database?.[Symbol.asyncDispose]()
      }
    }
    screen.write(`${table(results)}\n`)
    for (const { name, watched: cost } of results) {
      if (cost !== null) screen.write(`${name}: ${costOf(cost)}\n`)
    }
    const leaking = results.filter(({ collected }) => collected !== null && isLeak(collected))
    for (const { name } of leaking) screen.write(`${name}: memory grows from round to round.\n`)
    if (json !== undefined) await writeJson({ seed, engine, hasFewExamples, results }, json)
    process.exitCode = leaking.length === 0 ? 0 : 1
  },
})

function costOf({ unseen, seen, heard }: Watched): string {
  const figures = ({ rounds, medianSeconds, cpuSeconds }: WatchedRounds) =>
    `${rounds} rounds of ${medianSeconds.toFixed(2)} s and ${cpuSeconds.toFixed(2)} s of processor time`
  const times = (seen.medianSeconds / unseen.medianSeconds).toFixed(2)
  const work = (seen.cpuSeconds / unseen.cpuSeconds).toFixed(2)
  return `unseen ${figures(unseen)}; with an operator, who heard ${heard} news, ${figures(seen)}: ${times} and ${work} times as much.`
}

function table(results: readonly LoadResult[]): string {
  const head = [
    ...[
      'case',
      'rounds',
      'join, s',
      'median round, s',
      'worst, s',
      'MB/s both ways',
      'CPU s/round',
      'of clients',
    ],
    ...[
      'idle, MiB',
      'peak, MiB',
      'of it program files, MiB',
      'after rounds, MiB',
      'what stays, MiB',
    ],
  ]
  const rows = results.map((of) => [
    ...[of.name, of.rounds, of.joinSeconds.toFixed(2), of.medianRoundSeconds.toFixed(2)],
    ...[of.worstRoundSeconds.toFixed(2), of.megabytesPerSecond.toFixed(0)],
    ...[of.cpuSecondsPerRound.toFixed(2), of.clientCpuSecondsPerRound.toFixed(2)],
    ...[of.idleMb, of.peakMb, of.filesMb],
    ...[medianOf(of.residentMb.slice(-READINGS)), growthOf(of.collected)],
  ])
  const drawn = new Table({ head, style: { head: [], border: [] } })
  drawn.push(...rows)
  return drawn.toString()
}

function growthOf(collected: Growth | null): string {
  if (collected === null) return '-'
  const { settledMb, endingMb } = collected
  const percent = 100 * (endingMb / settledMb - 1)
  return `${settledMb.toFixed(0)} to ${endingMb.toFixed(0)}, ${percent.toFixed(1)} %`
}

await runProgram(loadCommand, process.argv)
