import { SingleBar } from 'cli-progress'
import type { TextStream } from '../command/text-stream.ts'
import type { InstallProgress } from './install.ts'

type Phase = InstallProgress['phase']

const PHASES: Record<Phase, string> = {
  download: 'Downloading TensorFlow (274 MB)',
  unpack: 'Unpacking TensorFlow',
  compile: 'Compiling the native addon',
  done: 'The native engine is ready',
}

/** Shows how far an install is: a bar on a terminal, elsewhere one line a phase. */
export function showInstallProgress(stream: TextStream): (progress: InstallProgress) => void {
  return stream.isTTY === true ? bar(stream) : lines(stream)
}

function bar(stream: TextStream): (progress: InstallProgress) => void {
  const format = '{phase} {bar} {percentage} %'
  // A terminal's stream has all that the bar asks for.
  const terminal = stream as unknown as NodeJS.WritableStream
  const single = new SingleBar({ stream: terminal, format, hideCursor: true })
  let isStarted = false
  return ({ phase, done }) => {
    const caption = { phase: PHASES[phase] }
    if (!isStarted) single.start(1, 0, caption)
    isStarted = true
    // Unpacking and compiling tell no share: the bar stands nearly full.
    single.update(done ?? 0.99, caption)
    if (phase === 'done') single.stop()
  }
}

function lines(stream: TextStream): (progress: InstallProgress) => void {
  let shown: Phase | undefined
  return ({ phase }) => {
    if (phase === shown) return
    shown = phase
    stream.write(`${PHASES[phase]}\n`)
  }
}
