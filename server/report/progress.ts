import type { TextStream } from '../../shared/command/text-stream.ts'
import { liveDisplay } from './live-display.ts'
import { plainDisplay } from './plain-display.ts'
import type { RunDisplay } from './run-display.ts'

export type { RunDisplay }

/** A block redrawn in place on a terminal; plain lines, at changes of state only, in a file or pipe. */
export function createRunDisplay(stream: TextStream): RunDisplay {
  return stream.isTTY === true ? liveDisplay(stream) : plainDisplay(stream)
}
