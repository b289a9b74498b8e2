import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeJson } from '../../../shared/command/write-json.ts'
import type {
  ExperimentCase,
  MethodResult,
  Row,
} from '../../../shared/protocol/experiment-report.ts'
import { RunReport } from '../../../shared/protocol/run-report.ts'
import type { Publishing, TuneMode } from '../../../shared/protocol/run-settings.ts'
import {
  FEDERATION_CONTROLS,
  FEDERATION_MEASURES,
  type FederationGrid,
  type LocalOptimizer,
  type NamedFaults,
  type Rehearsal,
  rehearsalWords,
  rehearsed,
  struckBy,
} from './federation-grid.ts'
import { type FindData, namedData, proxyImagesOf } from '../grid-data.ts'
import { controlResults, measureRun } from './measure-run.ts'
import { modelFor } from '../model-for.ts'
import { runGraft } from '../run-graft.ts'
import type { ExperimentPart } from '../run-preset.ts'

/** A day: whom a round waits for must not depend on how busy the machine is. */
const PATIENCE_SECONDS = 86_400

/**
 * A part for each row, kind of rehearsal, set of faults and kind of tuning: one `graft simulate` of all its strategies and
 * seeds, which goes on by itself.
 */
export function federationParts(
  grid: FederationGrid,
  engine: string,
  find: FindData = namedData,
): ExperimentPart[] {
  const faults = [undefined, ...(grid.faults ?? [])]
  const groups = groupsOf(grid)
  const federations = grid.datasets.flatMap((dataset) =>
    grid.partitions.flatMap((partition) =>
      grid.clients.flatMap((clients) =>
        grid.rehearse.flatMap((rehearsal) =>
          faults.flatMap((struck) =>
            groups.map((group): Federation => {
              return { dataset, partition, clients, rehearsal, faults: struck, group }
            }),
          ),
        ),
      ),
    ),
  )
  return federations.map((of) => ({
    key: keyOf(of),
    async run(signal, folder) {
      const file = join(folder, 'reports.json')
      const words = simulateWords(grid, of, find)
      if (of.faults !== undefined) {
        const { plan, quorum, deadlineSeconds } = of.faults
        const planFile = join(folder, 'faults.json')
        await writeJson(plan, planFile)
        words.push(
          '--faults',
          planFile,
          '--quorum',
          `${quorum}`,
          '--deadline',
          `${deadlineSeconds}`,
        )
      } else {
        words.push('--deadline', `${PATIENCE_SECONDS}`)
      }
      const places = ['--engine', engine, '--home', join(folder, 'runs'), '--json', file]
      await runGraft([...words, ...places], signal)
      const reports = readReports(JSON.parse(await readFile(file, 'utf8')))
      const cases = grid.seeds.map((seed) => {
        const own = reports.filter((report) => report.seed === seed)
        return caseOf(own, of, { grid, seed })
      })
      return { engine: reports[0]!.engine, cases }
    },
  }))
}

/** What one `graft simulate` runs, with every seed. */
interface Federation {
  readonly dataset: string
  readonly partition: string
  readonly clients: number
  readonly rehearsal: Rehearsal
  /** Undefined: nothing goes wrong. */
  readonly faults: NamedFaults | undefined
  readonly group: Group
}

const rowOf = ({ dataset, partition, clients }: Federation): Row => ({
  dataset,
  partition,
  clients,
})

function keyOf(of: Federation): string {
  const which = [...rehearsalWords(of.rehearsal), nameOf(of.group)].join(' ')
  const key = `${Object.values(rowOf(of)).join(', ')}, ${which}`
  return of.faults === undefined ? key : struckBy(key, of.faults.name)
}

/** Strategies of a grid whose clients train alike, and that are tuned and published alike. */
interface Group {
  readonly methods: readonly string[]
  readonly tune: TuneMode
  readonly publish: Publishing
  /** Undefined: Graft's own. */
  readonly optimizer: LocalOptimizer | undefined
  /** Whether the controls are measured beside it. */
  readonly hasControls: boolean
}

/** The rivals first, so that the controls are tuned as they are: beside the first one, and beside no other. */
function groupsOf(grid: FederationGrid): Group[] {
  const { methods, rivals, publish: own = 'better', optimizers = {} } = grid
  const isRival = (method: string) => rivals.methods.includes(method)
  const groups: Group[] = []
  const sorted = methods.toSorted((a, b) => Number(isRival(b)) - Number(isRival(a)))
  for (const [index, method] of sorted.entries()) {
    const { tune, publish } = isRival(method) ? rivals : { tune: 'both' as const, publish: own }
    const group: Group = {
      ...{ methods: [method], tune, publish, optimizer: optimizers[method] },
      hasControls: grid.controls && index === 0,
    }
    const place = groups.findIndex((other) => nameOf(other) === nameOf(group))
    const before = groups[place]
    if (before === undefined) groups.push(group)
    else groups[place] = { ...before, methods: [...before.methods, method] }
  }
  return groups
}

/** Another one for every group. */
function nameOf({ tune, publish, optimizer, hasControls }: Group): string {
  const training = optimizer === undefined ? [] : [`${optimizer.name} ${optimizer.learningRate}`]
  const controls = hasControls ? ['controls'] : []
  return [`tune ${tune}`, `publish ${publish}`, ...training, ...controls].join(', ')
}

/** The words of `graft simulate`, as a user would give them. */
function simulateWords(grid: FederationGrid, of: Federation, find: FindData): string[] {
  const { optimizer } = of.group
  const data = find(of.dataset)
  const target = grid.isTargetTheEnd === true ? grid.targets?.[of.dataset] : undefined
  const options = {
    '--partition': of.partition,
    '--clients': of.clients,
    '--model': modelFor(grid.model, data.shape),
    '--examples-per-client': grid.images,
    '--rounds': grid.rounds,
    // Of the rounds before the last, no table tells.
    '--controls': of.group.hasControls ? 'last' : 'none',
    '--local-epochs': grid.localEpochs,
    '--proxy': proxyImagesOf(data, grid.proxyImages),
    '--tune': of.group.tune,
    '--tune-epochs': grid.tuneEpochs,
    '--publish': of.group.publish,
    ...(target !== undefined && { '--target': target }),
    ...(optimizer && {
      '--optimizer': optimizer.name,
      '--learning-rate': optimizer.learningRate,
    }),
    '--strategy': of.group.methods.join(),
    '--seeds': grid.seeds.join(),
    // Runs beside it would be measured with it.
    ...(isOfTheMachine(grid) && { '--parallel': 1 }),
  }
  const words = Object.entries(options).flatMap(([name, value]) => [name, String(value)])
  return ['simulate', ...data.words, ...words, ...rehearsalWords(of.rehearsal)]
}

/** Whether what is measured depends on what else the machine does. */
const isOfTheMachine = ({ measures }: FederationGrid): boolean =>
  measures.includes('roundSeconds') || measures.includes('memory')

/** A run alone is no list. */
const readReports = (json: unknown): RunReport[] =>
  (Array.isArray(json) ? json : [json]).map((report) => RunReport.parse(report))

function caseOf(
  reports: readonly RunReport[],
  of: Federation,
  { grid, seed }: { grid: FederationGrid; seed: number },
): ExperimentCase {
  const target = grid.targets?.[of.dataset]
  const nameIn = (method: string): string => {
    const name = rehearsed(method, of.rehearsal)
    return of.faults === undefined ? name : struckBy(name, of.faults.name)
  }
  const results = reports.map((report): MethodResult => {
    return { method: nameIn(report.strategy), ...measureRun(report, grid.measures, target) }
  })
  const published = FEDERATION_MEASURES.published.name
  const controls = of.group.hasControls ? controlResults(reports[0]!, published) : []
  const named = controls.flatMap((result) => {
    if (result.method !== FEDERATION_CONTROLS.proxyAlone)
      return { ...result, method: nameIn(result.method) }
    // What the clients do not take part in is the same whatever they do.
    return of.rehearsal === grid.rehearse[0] && of.faults === undefined ? result : []
  })
  return { row: rowOf(of), seed, results: [...named, ...results] }
}
