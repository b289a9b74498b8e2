import type { TextStream } from '../../shared/command/text-stream.ts'
import { megabytes } from '../../shared/terminal/format.ts'
import type { RunDisplay } from './run-display.ts'

/** What a log need not say: each is over in moments, or said again by the line behind it. */
const PASSING_STATES = new Set(['pulling', 'attributing', 'evaluating'])

/** One line for each phase and for each step of a client that lasts, for log files. */
export function plainDisplay(stream: TextStream): RunDisplay {
  const states = new Map<string, string>()
  const updateBytes = new Map<string, number>()
  let shownRound: number | undefined
  let shownPhase: string | undefined
  let isFinished = false

  function changeState(client: string, state: string, note = ''): void {
    if (isFinished || PASSING_STATES.has(state) || states.get(client) === state) return
    states.set(client, state)
    stream.write(`${client}: ${state}${note}\n`)
  }

  return {
    phase(round, phase, detail) {
      if (round === shownRound && phase === shownPhase) return
      if (round !== shownRound) {
        states.clear()
        updateBytes.clear()
      }
      shownRound = round
      shownPhase = phase
      stream.write(`round ${round}: ${phase}${detail === undefined ? '' : ` (${detail})`}\n`)
    },
    clientState(client, { state }) {
      const bytes = state === 'uploaded' ? updateBytes.get(client) : undefined
      changeState(client, state, bytes === undefined ? '' : `, ${megabytes(bytes)}`)
    },
    upload(client, _receivedBytes, sizeBytes) {
      updateBytes.set(client, sizeBytes)
      changeState(client, 'uploading')
    },
    message: (text) => void stream.write(`${text}\n`),
    finish() {
      isFinished = true
    },
  }
}
