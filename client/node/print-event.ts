import { COORDINATOR_FAULTS } from './coordinator-faults.ts'
import type { NodeEvent } from './progress.ts'

/** Progress lines a phase at most: enough to see it move, few enough for a log file. */
const LINES_A_PHASE = 4

/** Writes what a node tells, one plain line each. */
export function printEvent(event: NodeEvent, out: { write(text: string): unknown }): void {
  const line = describeEvent(event)
  if (line !== null) out.write(`${line}\n`)
}

/** One line without its end; null for progress that needs none. */
export function describeEvent(event: NodeEvent): string | null {
  switch (event.type) {
    case 'joined': {
      const { clientId, settings, numExamples } = event
      return `joined as ${clientId}: ${settings.model} on ${settings.dataset}, ${numExamples} examples, seed ${settings.seed}`
    }
    case 'progress': {
      const { round, phase, done, loss } = event
      const percent = Math.floor(done * 100)
      if (percent % (100 / LINES_A_PHASE) !== 0 || percent === 0) return null
      return `round ${round}: ${phase} ${percent} %${loss === undefined ? '' : `, loss ${loss.toFixed(4)}`}`
    }
    case 'accepted': {
      const { round, sizeBytes, seconds } = event
      const times = Object.entries(seconds).map(([phase, s]) => `${phase} ${s.toFixed(1)} s`)
      return `round ${round}: update accepted, ${(sizeBytes / 1e6).toFixed(1)} MB (${times.join(', ')})`
    }
    case 'refused':
      // Its remedy is for the operator, not for whoever reads this.
      if (COORDINATOR_FAULTS.includes(event.error.code)) {
        return `round ${event.round}: the coordinator cannot take the update now (${event.error.code}); waiting until it can`
      }
      return `round ${event.round}: update refused: ${event.error.message}`
    case 'evaluated':
      return `round ${event.round}: published model has accuracy ${(100 * event.accuracy).toFixed(2)} % here, loss ${event.loss.toFixed(4)}`
    case 'round-failed':
      return `round ${event.round}: failed (${event.code})`
    case 'left-alone':
      return 'the coordinator goes away; looking for it, or for the one that follows it'
    case 'sat-out':
      return `cannot take part in this run, waiting for the next one: ${event.error.message}`
    case 'finished':
      return `finished after ${event.rounds} round${event.rounds === 1 ? '' : 's'}`
  }
}
