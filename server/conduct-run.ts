import { join } from 'node:path'
import { colorsOf, type TextStream } from '../shared/command/text-stream.ts'
import type { Engine } from '../shared/engine/engine.ts'
import { GRAFT_VERSION } from '../shared/protocol/graft-version.ts'
import type { RoundReport, RunReport } from '../shared/protocol/run-report.ts'
import type { RunSettings } from '../shared/protocol/run-settings.ts'
import type { ClientDesk } from './coordinator/client-desk.ts'
import { runFederation } from './coordinator/coordinator.ts'
import type { Board } from './coordinator/live/board.ts'
import type { RunPlan } from './coordinator/run-plan.ts'
import type { Helm } from './coordinator/session.ts'
import { createWorkbench } from './coordinator/workbench.ts'
import type { Gateway } from './gateway/gateway.ts'
import { composeDisplays } from './report/compose-displays.ts'
import type { RunDisplay } from './report/run-display.ts'
import { roundTable } from './report/round-table.ts'
import { createReportFile } from './report/report-file.ts'
import { saveModelFolder } from './save-model-folder.ts'
import { saveModelFile } from './store/save-model-file.ts'
import type { QuarantineFiles } from './store/quarantine-files.ts'
import type { BlobStore, RunRecord, Store } from './store/store.ts'

/** What all runs of a coordinator share. */
export interface RunRooms {
  readonly engine: Engine
  readonly store: Store
  readonly blobs: BlobStore
  readonly board: Board
  readonly helm: Helm
  readonly desk: ClientDesk
  readonly clients: Gateway
  readonly quarantineFiles: QuarantineFiles
  /** Newest rounds whose updates stay on disk. */
  readonly keepUpdates: number
  readonly screen: TextStream
  readonly signal: AbortSignal
}

/** One run of it. */
export interface ConductedRun {
  readonly plan: RunPlan
  /** The run to go on with; when absent, the unfinished one of these settings, or a new one. */
  readonly run?: RunRecord
  readonly display: RunDisplay
  /** Where report and models go. */
  readonly folder: string
  /** Called when clients may come in. */
  readonly onOpen?: () => Promise<void>
}

/**
 * Conducts one run from its plan to its last word.
 *
 * @returns the file of its report; null of a run that was stopped before it published a model
 * @throws GraftError as `runFederation` does
 */
export async function conductRun(
  rooms: RunRooms,
  { plan, run, display, folder, onOpen }: ConductedRun,
): Promise<string | null> {
  const { engine, store, blobs, board, helm, desk, clients, quarantineFiles, signal } = rooms
  const { keepUpdates } = rooms
  const { settings, network } = plan
  const stop = new AbortController()
  const workbench = createWorkbench(plan, blobs, AbortSignal.any([signal, stop.signal]))
  await using report = createReportFile(join(folder, 'report.json'), (round) =>
    reportOf(round, settings, engine),
  )
  try {
    await runFederation({
      settings,
      ...(run !== undefined && { run }),
      ...{ store, blobs, workbench, board, helm, quarantineFiles, keepUpdates, signal, stop },
      display: composeDisplays(display, board.display),
      async listen(id, handlers) {
        desk.open(id, handlers)
        await onOpen?.()
        return {
          ...clients,
          finished(message) {
            display.finish()
            clients.finished(message)
          },
          async close() {
            desk.close()
          },
        }
      },
      async onRound(round, model) {
        await report.add(round)
        const file = await saveModelFile(blobs, model, join(folder, 'models'), round.round)
        if (settings.topology !== undefined) {
          await saveModelFolder(network, await blobs.get(model), file.replace(/\.safetensors$/, ''))
        }
        display.message(
          `${roundTable(round, colorsOf(rooms.screen))}\nModel of round ${round.round}: ${file}`,
        )
      },
    })
    return report.written()
  } finally {
    display.finish()
    workbench.dispose()
  }
}

/** If it were the run's only round. */
function reportOf(round: RoundReport, settings: RunSettings, engine: Engine): RunReport {
  const { accuracy, loss, modelSha256 } = round.published
  const { seed, dataset, model, partition, clients, strategy, proxy } = settings
  return {
    version: GRAFT_VERSION,
    seed,
    engine: engine.name,
    environment: {
      engineVersion: engine.version,
      node: process.versions.node,
      platform: `${process.platform} ${process.arch}`,
    },
    dataset,
    model,
    partition,
    clients,
    strategy,
    proxy,
    settings,
    rounds: [round],
    final: { accuracy, loss, modelSha256 },
  }
}
