/**
 * What a terminal shows, scrolled-off lines included, after it was sent `output`: enough of one to follow
 * a block that is redrawn in place. Throws on any control sequence it does not know.
 */
export function screenOf(output: string): string[] {
  const lines: string[] = ['']
  let row = 0
  let column = 0
  for (const token of output.match(/\u001b\[\??\d*[A-Za-z]|[^]/gu) ?? []) {
    if (token === '\n') {
      row += 1
      column = 0
      lines[row] ??= ''
    } else if (token === '\r') column = 0
    else if (token.startsWith('\u001b')) control(token)
    else {
      lines[row] =
        lines[row]!.slice(0, column).padEnd(column) + token + lines[row]!.slice(column + 1)
      column += 1
    }
  }
  while (lines.at(-1) === '') lines.pop()
  return lines

  function control(token: string): void {
    const up = /^\u001b\[(\d+)A$/.exec(token)
    if (up !== null) {
      row -= Number(up[1])
      if (row < 0) throw new RangeError('the cursor went above the first line')
    } else if (token === '\u001b[2K') lines[row] = ''
    else if (token === '\u001b[J') {
      lines[row] = lines[row]!.slice(0, column)
      lines.splice(row + 1)
    } else if (token !== '\u001b[?7l' && token !== '\u001b[?7h' && !/^\u001b\[\d+m$/.test(token))
      throw new RangeError(`unknown control sequence ${JSON.stringify(token)}`)
  }
}
