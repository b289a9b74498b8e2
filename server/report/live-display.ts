import { colorsOf, sizeOfTerminal, type TextStream } from '../../shared/command/text-stream.ts'
import { megabytes } from '../../shared/terminal/format.ts'
import { liveBlock } from '../../shared/terminal/live-block.ts'
import { type LiveClient, liveLines } from './live-lines.ts'
import type { RunDisplay } from './run-display.ts'

/** Milliseconds between two looks at whether the block has changed; faster than this nobody reads. */
const REDRAW_MS = 100

/** A block redrawn in place: the phase, elapsed time, each client's state and how far it is. */
export function liveDisplay(stream: TextStream): RunDisplay {
  const block = liveBlock(stream)
  const colors = colorsOf(stream)
  const clients = new Map<string, LiveClient>()
  const startedAt = Date.now()
  let current: { round: number; phase: string; detail: string } | undefined

  function draw(): void {
    if (current === undefined) return
    const elapsedMs = Date.now() - startedAt
    block.draw(liveLines({ ...current, elapsedMs, clients }, { ...sizeOfTerminal(stream), colors }))
  }
  const timer = setInterval(draw, REDRAW_MS)
  // The display never keeps a process alive.
  timer.unref()
  let isFinished = false

  return {
    phase(round, phase, detail = '') {
      if (round !== current?.round) clients.clear()
      current = { round, phase, detail }
    },
    clientState(client, { state, done, loss }) {
      // What has arrived here is surer than what a client says it has sent.
      if (isFinished || (state === 'uploading' && clients.get(client)?.state === state)) return
      const note = loss === undefined ? '' : `loss ${loss.toFixed(4)}`
      clients.set(client, { state, done: done ?? null, note })
    },
    upload(client, receivedBytes, sizeBytes) {
      const note = `${megabytes(receivedBytes)} of ${megabytes(sizeBytes)}`
      clients.set(client, { state: 'uploading', done: receivedBytes / sizeBytes, note })
    },
    message: (text) => {
      block.printAbove(text)
    },
    finish() {
      if (isFinished) return
      isFinished = true
      clearInterval(timer)
      draw()
    },
  }
}
