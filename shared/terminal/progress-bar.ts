/** As in `████░░░░`. @param done share, 0 to 1 @param width characters */
export function progressBar(done: number, width: number): string {
  const full = Math.round(Math.min(1, Math.max(0, done)) * width)
  return '█'.repeat(full) + '░'.repeat(width - full)
}
