import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startGraft } from '../../shared/command/graft-process.ts'
import { ChildFailed } from '../../shared/command/run-program.ts'
import { findDataset } from '../../shared/data/datasets.ts'
import { EXIT } from '../../shared/errors.ts'
import type { ExperimentCase, MethodResult, Row } from '../../shared/protocol/experiment-report.ts'
import { RunReport } from '../../shared/protocol/run-report.ts'
import {
  FEDERATION_CONTROLS,
  FEDERATION_MEASURES,
  type FederationGrid,
  rehearsed,
} from './federation-grid.ts'
import { controlResults, measureRun } from './measure-run.ts'
import { modelFor } from './model-for.ts'
import type { ExperimentPart } from './run-preset.ts'

/** A part a row, with and without rehearsal: one `graft simulate` of all strategies and seeds, which goes on by itself. */
export function federationParts(grid: FederationGrid, engine: string): ExperimentPart[] {
  return grid.datasets.flatMap((dataset) =>
    grid.partitions.flatMap((partition) =>
      grid.clients.flatMap((clients) =>
        grid.rehearse.map((isRehearsed): ExperimentPart => {
          const row: Row = { dataset, partition, clients }
          return {
            key: `${Object.values(row).join(', ')}${isRehearsed ? ', rehearsed' : ''}`,
            async run(signal, folder) {
              const file = join(folder, 'reports.json')
              const words = simulateWords(grid, { dataset, partition, clients, isRehearsed })
              const places = ['--engine', engine, '--home', join(folder, 'runs'), '--json', file]
              await runGraft([...words, ...places], signal)
              const reports = readReports(JSON.parse(await readFile(file, 'utf8')))
              const cases = grid.seeds.map((seed) => {
                const own = reports.filter((report) => report.seed === seed)
                return caseOf(own, { row, seed, grid, isRehearsed })
              })
              return { engine: reports[0]!.engine, cases }
            },
          }
        }),
      ),
    ),
  )
}

/** The words of `graft simulate`, as a user would give them. */
export function simulateWords(
  grid: FederationGrid,
  of: {
    readonly dataset: string
    readonly partition: string
    readonly clients: number
    readonly isRehearsed: boolean
  },
): string[] {
  const options = {
    '--dataset': of.dataset,
    '--partition': of.partition,
    '--clients': of.clients,
    '--model': modelFor(grid.model, findDataset(of.dataset)),
    '--examples-per-client': grid.images,
    '--rounds': grid.rounds,
    '--local-epochs': grid.localEpochs,
    '--proxy': grid.proxyImages,
    '--tune-epochs': grid.tuneEpochs,
    '--strategy': grid.methods.join(),
    '--seeds': grid.seeds.join(),
  }
  const words = Object.entries(options).flatMap(([name, value]) => [name, String(value)])
  return ['simulate', ...words, ...(of.isRehearsed ? ['--rehearse'] : [])]
}

async function runGraft(words: readonly string[], signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted()
  const { exited, kill } = startGraft(words, { screen: 'none' })
  signal?.addEventListener('abort', kill, { once: true })
  try {
    const { status } = await exited
    signal?.throwIfAborted()
    if (status !== EXIT.ok) throw new ChildFailed(status)
  } finally {
    signal?.removeEventListener('abort', kill)
  }
}

/** A run alone is no list. */
const readReports = (json: unknown): RunReport[] =>
  (Array.isArray(json) ? json : [json]).map((report) => RunReport.parse(report))

function caseOf(
  reports: readonly RunReport[],
  {
    row,
    seed,
    grid,
    isRehearsed,
  }: { row: Row; seed: number; grid: FederationGrid; isRehearsed: boolean },
): ExperimentCase {
  const target = grid.targets?.[String(row['dataset'])]
  const results = reports.map((report): MethodResult => {
    const method = rehearsed(report.strategy, isRehearsed)
    return { method, ...measureRun(report, grid.measures, target) }
  })
  const published = FEDERATION_MEASURES.published.name
  const controls = grid.controls ? controlResults(reports[0]!, published) : []
  const named = controls.map((result) => {
    // What the clients do not take part in is the same whether they rehearse.
    const isApart = result.method === FEDERATION_CONTROLS.proxyAlone
    return isApart && isRehearsed && grid.rehearse.length > 1
      ? []
      : { ...result, method: isApart ? result.method : rehearsed(result.method, isRehearsed) }
  })
  return { row, seed, results: [...named.flat(), ...results] }
}
