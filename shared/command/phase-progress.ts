import { SingleBar } from 'cli-progress'
import type { TextStream } from './text-stream.ts'

export interface PhaseProgress<Phase extends string> {
  phase: Phase
  /** Share of the phase that is done, 0 to 1; absent where nobody can tell. */
  done?: number
}

/** Where long work is followed. */
export interface PhaseDisplay<Phase extends string> {
  readonly show: (progress: PhaseProgress<Phase>) => void
  /** Ends the bar where it stands and gives the cursor back; once the work has ended, however it did. */
  readonly close: () => void
}

/** Follows work that goes through phases: a bar on a terminal, elsewhere one line a phase. */
export function createPhaseDisplay<Phase extends string>(
  stream: TextStream,
  captions: Readonly<Record<Phase, string>>,
): PhaseDisplay<Phase> {
  return stream.isTTY === true ? bar(stream, captions) : lines(stream, captions)
}

function bar<Phase extends string>(
  stream: TextStream,
  captions: Readonly<Record<Phase, string>>,
): PhaseDisplay<Phase> {
  const format = '{phase} {bar} {percentage} %'
  // A terminal's stream has all that the bar asks for.
  const terminal = stream as unknown as NodeJS.WritableStream
  const single = new SingleBar({ stream: terminal, format, hideCursor: true })
  return {
    show({ phase, done }) {
      const caption = { phase: captions[phase] }
      if (!single.isActive) single.start(1, 0, caption)
      // Where nobody can tell the share, the bar stands nearly full.
      single.update(done ?? 0.99, caption)
    },
    close() {
      if (single.isActive) single.stop()
    },
  }
}

function lines<Phase extends string>(
  stream: TextStream,
  captions: Readonly<Record<Phase, string>>,
): PhaseDisplay<Phase> {
  let shown: Phase | undefined
  return {
    show({ phase }) {
      if (phase === shown) return
      shown = phase
      stream.write(`${captions[phase]}\n`)
    },
    close() {
      // Lines need no ending.
    },
  }
}
