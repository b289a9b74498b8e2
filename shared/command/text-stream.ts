import pc from 'picocolors'

/** What is written to: process.stdout and stderr are such streams; beside `write`, a file or pipe has nothing. */
export interface TextStream {
  write(text: string): unknown
  readonly isTTY?: boolean
  /** Characters in a line. */
  readonly columns?: number
  /** Lines. */
  readonly rows?: number
  /** Node's own test, which honours NO_COLOR, FORCE_COLOR and TERM=dumb. */
  hasColors?(count?: number): boolean
}

export type Colors = ReturnType<typeof pc.createColors>

/** Colours on a terminal that shows them, plain text anywhere else. */
export function colorsOf(stream: TextStream): Colors {
  return pc.createColors(stream.isTTY === true && stream.hasColors?.() === true)
}

/** Whether it shows the 256 colours of xterm. */
export function hasManyColors(stream: TextStream): boolean {
  return stream.isTTY === true && stream.hasColors?.(256) === true
}

/** Characters in a line and lines; a file has no size and some terminals say 0, so 80x24 stands in. */
export function sizeOfTerminal(stream: TextStream): { columns: number; rows: number } {
  const known = (size: number | undefined, fallback: number): number =>
    size === undefined || size < 1 ? fallback : size
  return { columns: known(stream.columns, 80), rows: known(stream.rows, 24) }
}
