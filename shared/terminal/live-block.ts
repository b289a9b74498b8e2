import { sizeOfTerminal, type TextStream } from '../command/text-stream.ts'

/** Lines at the end of the terminal that are redrawn in place. */
export interface LiveBlock {
  /** Replaces the block; writes nothing when it is the same. Lines beyond the terminal's height are left out. */
  draw(lines: readonly string[]): void
  /** Prints text that stays, above the block. */
  printAbove(text: string): void
}

const CLEAR_LINE = '\u001b[2K'
const CLEAR_BELOW = '\u001b[J'
// A line longer than the terminal is cut instead of wrapped, so a line of the block is a line of the screen.
const WRAP_OFF = '\u001b[?7l'
const WRAP_ON = '\u001b[?7h'

/**
 * The cursor rests on the line below the block. Each change is one write, so that an interrupt between
 * two of them leaves the terminal as it was.
 */
export function liveBlock(stream: TextStream): LiveBlock {
  let drawn: readonly string[] = []
  const toTop = (): string => (drawn.length > 0 ? `\u001b[${drawn.length}A` : '') + '\r'
  const blockText = (lines: readonly string[]): string =>
    `${WRAP_OFF}${lines.map((line) => `${CLEAR_LINE}${line}\n`).join('')}${CLEAR_BELOW}${WRAP_ON}`

  return {
    draw(lines) {
      // The cursor cannot go up beyond the screen, and its own line takes one.
      const visible = lines.slice(0, Math.max(1, sizeOfTerminal(stream).rows - 1))
      if (visible.length === drawn.length && visible.every((line, i) => line === drawn[i])) return
      const text = toTop() + blockText(visible)
      drawn = visible
      stream.write(text)
    },
    printAbove(text) {
      stream.write(`${toTop()}${CLEAR_BELOW}${text}\n${blockText(drawn)}`)
    },
  }
}
