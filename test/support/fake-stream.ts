import type { TextStream } from '../../shared/command/text-stream.ts'

/** A stream that keeps what is written to it; `terminal` makes it one of that size, without colours. */
export function fakeStream(terminal?: { columns: number; rows: number; hasColors?: boolean }) {
  const written: string[] = []
  const stream: TextStream = {
    write: (text) => written.push(text),
    ...(terminal === undefined
      ? {}
      : {
          isTTY: true,
          columns: terminal.columns,
          rows: terminal.rows,
          hasColors: () => terminal.hasColors === true,
        }),
  }
  return {
    ...stream,
    /** Everything written since the last call. */
    take: () => written.splice(0).join(''),
  }
}
