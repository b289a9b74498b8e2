import type { RunDisplay } from './run-display.ts'

/** One display that tells each of these what it is told, in their order. */
export function composeDisplays(...displays: readonly RunDisplay[]): RunDisplay {
  return {
    phase(round, phase, detail) {
      for (const each of displays) each.phase(round, phase, detail)
    },
    clientState(client, state) {
      for (const each of displays) each.clientState(client, state)
    },
    upload(client, receivedBytes, sizeBytes) {
      for (const each of displays) each.upload(client, receivedBytes, sizeBytes)
    },
    message(text) {
      for (const each of displays) each.message(text)
    },
    finish() {
      for (const each of displays) each.finish()
    },
  }
}
