// Kills coordinators and clients and breaks links, all by seed, and checks what is left.
//
//   npm run chaos [-- --standby | --takeover | --plant NAME] [--bucket] [--quick] [--seed N] [--json FILE] [--engine NAME]
import { setMaxListeners } from 'node:events'
import { z } from 'zod'
import { defineCommand, numeric } from '../../shared/command/command.ts'
import { interruptSignal, runProgram } from '../../shared/command/run-program.ts'
import { writeJson } from '../../shared/command/write-json.ts'
import { ENGINE_CHOICES } from '../../shared/engine/engine.ts'
import { isComparable } from './checker/check.ts'
import { type Outcome, runChaosFederation } from './federation.ts'
import { drawPlan } from './plan.ts'
import {
  type ChaosReport,
  federationLine,
  type FederationReport,
  HEADING,
  summaryLines,
  totalsOf,
  undisturbedLine,
} from './report.ts'
import { type Plant, plant, type PlantName, PLANTS } from './plants.ts'
import { takeoverLines } from './takeovers.ts'
import { COHORT, type Setting, STRATEGIES, UPDATE_BYTES } from './setting.ts'

/** Kills that a federation has time for. */
const FULL = { coordinatorKills: 20, clientKills: 46, rounds: 3 }
const QUICK = { coordinatorKills: 6, clientKills: 6, rounds: 2 }
/** Each kill waits until there is somebody to take over. */
const TAKEOVER = { coordinatorKills: 6, clientKills: 0, rounds: 6 }
/** Share of the blows to two coordinators that freeze the one that leads. */
const FREEZES = 0.4
const TAKEOVER_MOMENTS = ['uploading', 'acknowledged', 'fusing'] as const
/** Every third federation has a client more than it asks for: who comes first is in the cohort. */
const SPARE_EVERY = 3

const count = z.int().nonnegative()

const command = defineCommand({
  name: 'chaos',
  summary: 'kill coordinators and clients, break links, and check what is left',
  examples: ['npm run chaos -- --quick', 'npm run chaos -- --seed 3 --json chaos.json'],
  options: {
    standby: z
      .literal(true)
      .optional()
      .describe('two coordinators: kill and freeze who leads, and measure how long nobody does'),
    takeover: z
      .literal(true)
      .optional()
      .describe('only measure that: kills while collecting and fusing, and nothing else'),
    bucket: z
      .literal(true)
      .optional()
      .describe('blobs in an S3 bucket, which is away or busy at times'),
    plant: z
      .enum(Object.keys(PLANTS) as [PlantName, ...PlantName[]])
      .optional()
      .describe('put this bug into a copy of the coordinator: the checker must find it')
      .meta({ value: 'NAME' }),
    quick: z.literal(true).optional().describe('one federation, under a minute'),
    kills: numeric(count).optional().describe('kills of coordinators').meta({ value: 'N' }),
    seed: numeric(count).default(7).describe('of everything that is drawn').meta({ value: 'N' }),
    engine: z.enum(ENGINE_CHOICES).default('wasm').describe('engine').meta({ value: 'NAME' }),
    json: z.string().min(1).optional().describe('write the report here').meta({ value: 'FILE' }),
  },
  async run({ quick, standby, takeover, bucket, plant: planted, kills, seed, engine, json }) {
    const since = performance.now()
    const signal = interruptSignal()
    setMaxListeners(0, signal)
    const each = takeover ? TAKEOVER : quick ? QUICK : FULL
    const wanted = kills ?? (quick ? each.coordinatorKills : takeover ? 24 : 100)
    const strategies = takeover ? STRATEGIES.slice(0, 1) : STRATEGIES
    console.log(`seed ${seed}, engine ${engine}, ${wanted} kills of coordinators`)
    console.log(HEADING)
    const undisturbed = new Map<string, Outcome>()
    const federations: FederationReport[] = []
    const bug: Plant | null = planted === undefined ? null : PLANTS[planted]
    const cli = planted && (await plant(planted))
    const hasBucket = bucket === true
    const hasStandby = bug?.hasStandby ?? (standby === true || takeover === true)
    const isSound = () =>
      [...undisturbed.values(), ...federations].every(({ violations }) => violations.length === 0)
    while (totalsOf(federations).coordinatorKills < wanted) {
      const index = federations.length
      const left = wanted - totalsOf(federations).coordinatorKills
      const setting: Setting = {
        ...{ strategy: strategies[index % strategies.length]!, rounds: each.rounds, seed, engine },
      }
      const calm = undisturbed.get(setting.strategy) ?? (await runUndisturbed(setting, signal))
      if (!undisturbed.has(setting.strategy)) console.log(undisturbedLine(setting.strategy, calm))
      undisturbed.set(setting.strategy, calm)
      // Nothing can be compared with it.
      if (calm.violations.length > 0) break
      const clients = COHORT + (index % SPARE_EVERY === SPARE_EVERY - 1 ? 1 : 0)
      const federation = `${seed}/${index}`
      const outcome = await runChaosFederation({
        ...{ setting, seed: federation, clients, undisturbed: calm, signal },
        plan: {
          ...drawPlan(federation, {
            ...{ clients, rounds: each.rounds, clientKills: each.clientKills },
            coordinatorKills: Math.min(each.coordinatorKills, left),
            updateBytes: UPDATE_BYTES,
            ...(hasStandby && takeover !== true && { freezes: bug?.freezes ?? FREEZES }),
            ...(bug?.moments && { moments: bug.moments }),
            ...(takeover === true && { moments: TAKEOVER_MOMENTS }),
          }),
          ...(takeover === true && { links: [], bucket: [], slowJournalMs: 0 }),
        },
        ...{ hasStandby, hasBucket, cli },
        waitsForStandby: takeover === true,
      })
      const isSameModel = isComparable(outcome.cohorts, calm)
        ? outcome.finalModel === calm.finalModel
        : null
      const report = {
        ...{ strategy: setting.strategy, rounds: each.rounds, clients, isSameModel },
        ...outcome,
      }
      federations.push(report)
      console.log(federationLine(report, index))
    }
    const totals = totalsOf(federations)
    const report: ChaosReport = {
      ...{ seed, engine, federations, totals },
      undisturbed: Object.fromEntries(undisturbed),
      seconds: (performance.now() - since) / 1000,
      isSound: isSound(),
    }
    console.log(summaryLines(report))
    for (const line of takeoverLines(federations.flatMap(({ takeovers }) => takeovers))) {
      console.log(line)
    }
    if (hasStandby) {
      const deposed = federations.reduce((sum, federation) => sum + federation.deposed, 0)
      const struck = federations.flatMap((federation) => federation.kills)
      const frozen = struck.filter(({ isFrozen }) => isFrozen).length
      console.log(`${frozen} of them frozen, not killed; ${deposed} came back late, and ended`)
    }
    if (json !== undefined) await writeJson(report, json)
    const isAsExpected = report.isSound === (bug === null)
    if (bug !== null) console.log(`planted ${planted}: ${report.isSound ? 'NOT found' : 'found'}`)
    process.exitCode = isAsExpected ? 0 : 1
  },
})

await runProgram(command, process.argv)

/** The same federation when nothing happens to it. */
function runUndisturbed(setting: Setting, signal: AbortSignal): Promise<Outcome> {
  const plan = { coordinatorKills: [], clientKills: [], links: [], bucket: [], slowJournalMs: 0 }
  return runChaosFederation({
    ...{ setting, plan, seed: 'undisturbed', clients: COHORT, undisturbed: null, signal },
    ...{ hasStandby: false, hasBucket: false },
    waitsForStandby: false,
  })
}
