import { createPhaseDisplay } from '../command/phase-progress.ts'
import type { TextStream } from '../command/text-stream.ts'
import type { InstallProgress } from './install.ts'

const PHASES: Record<InstallProgress['phase'], string> = {
  download: 'Downloading TensorFlow (274 MB)',
  unpack: 'Unpacking TensorFlow',
  compile: 'Compiling the native addon',
  done: 'The native engine is ready',
}

/** Shows how far an install is: a bar on a terminal, elsewhere one line a phase. */
export function showInstallProgress(stream: TextStream): (progress: InstallProgress) => void {
  const display = createPhaseDisplay(stream, PHASES)
  return (progress) => {
    display.show(progress)
    if (progress.phase === 'done') display.close()
  }
}
