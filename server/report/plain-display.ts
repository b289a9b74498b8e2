import type { TextStream } from '../../shared/command/text-stream.ts'
import { megabytes } from './format.ts'
import type { RunDisplay } from './run-display.ts'

/** One line for each change of a phase or of a client's state, for log files. */
export function plainDisplay(stream: TextStream): RunDisplay {
  const states = new Map<string, string>()
  let shownRound: number | undefined
  let shownPhase: string | undefined

  function changeState(client: string, state: string, line: string): void {
    if (states.get(client) === state) return
    states.set(client, state)
    stream.write(`${line}\n`)
  }

  return {
    phase(round, phase, detail) {
      if (round === shownRound && phase === shownPhase) return
      if (round !== shownRound) states.clear()
      shownRound = round
      shownPhase = phase
      stream.write(`round ${round}: ${phase}${detail === undefined ? '' : ` (${detail})`}\n`)
    },
    clientState(client, { state }) {
      changeState(client, state, `${client}: ${state}`)
    },
    upload(client, receivedBytes, sizeBytes) {
      if (receivedBytes < sizeBytes) changeState(client, 'uploading', `${client}: uploading`)
      else changeState(client, 'received', `${client}: update received, ${megabytes(sizeBytes)}`)
    },
    message: (text) => void stream.write(`${text}\n`),
    finish: () => undefined,
  }
}
