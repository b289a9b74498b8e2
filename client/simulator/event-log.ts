import { appendFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type ClientId, compareIds } from '../../shared/ids.ts'
import { WorkerMessage } from '../../shared/protocol/process-messages.ts'
import type { SimulationReport } from '../../shared/protocol/simulation-report.ts'

/** What happened to the clients of a run, also before the simulation was ended and started again. */
export interface EventLog {
  add(message: WorkerMessage): void
  /** Clients that do not come back in this run. */
  gone(): ReadonlySet<ClientId>
  /** By round and client, whatever the order in which it happened. */
  report(): Pick<SimulationReport, 'faults' | 'reused'>
}

/**
 * @param file one JSON object a line; a last line that a kill has cut off counts as none
 * @param of says which run it is of; what the file holds of another run is dropped
 */
export async function openEventLog(file: string, of: string): Promise<EventLog> {
  const messages: WorkerMessage[] = []
  const head = JSON.stringify({ of })
  const text = await readFile(file, 'utf8').catch(() => '')
  if (text.startsWith(`${head}\n`)) {
    for (const line of text.split('\n')) {
      const { data } = WorkerMessage.safeParse(tryParse(line))
      if (data !== undefined) messages.push(data)
    }
  } else {
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, `${head}\n`)
  }

  return {
    add(message) {
      messages.push(message)
      appendFileSync(file, `${JSON.stringify(message)}\n`)
    },
    gone: () =>
      new Set(
        messages.flatMap((one) =>
          one.type === 'fault' && one.isGone === true ? [one.client] : [],
        ),
      ),
    report() {
      const faults = messages.flatMap((one) => {
        if (one.type !== 'fault') return []
        const { client, round, fault, detail, isGone } = one
        return [{ client, round, fault, detail, ...(isGone && { isGone }) }]
      })
      const reused = messages.flatMap((one) =>
        one.type === 'reused' ? [{ client: one.client, round: one.round }] : [],
      )
      return {
        faults: uniqueInOrder(faults, ({ fault, detail }) => `${fault} ${detail}`),
        reused: uniqueInOrder(reused, () => ''),
      }
    },
  }
}

/** A round that was begun again says the same again: it is told once. */
function uniqueInOrder<Event extends { readonly client: ClientId; readonly round: number }>(
  events: readonly Event[],
  what: (event: Event) => string,
): Event[] {
  const keyed = new Map(
    events.map((event) => [`${event.client} ${event.round} ${what(event)}`, event]),
  )
  return [...keyed]
    .sort(([a, one], [b, other]) => one.round - other.round || compareIds(a, b))
    .map(([, event]) => event)
}

function tryParse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
