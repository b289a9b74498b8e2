/** A share from 0 to 1, as in `92.35 %`. */
export const percent = (share: number): string => `${(100 * share).toFixed(2)} %`

/** As in `1.2 MB` (10^6 bytes) or `310 kB`. */
export function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}

/** As in `0:42` or `1:05:09`. */
export function clockTime(milliseconds: number): string {
  const total = Math.floor(milliseconds / 1000)
  const two = (n: number): string => String(n).padStart(2, '0')
  const [hours, minutes, seconds] = [
    Math.floor(total / 3600),
    Math.floor(total / 60) % 60,
    total % 60,
  ]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`
}

/** Breaks a line at spaces into lines of at most `width` characters, where words allow; later ones are indented. */
export function wrapWords(line: string, width: number): string[] {
  const lines: string[] = []
  let current = ''
  for (const word of line.split(' ')) {
    const longer = current === '' ? word : `${current} ${word}`
    if (longer.length <= width || current.trim() === '') current = longer
    else {
      lines.push(current)
      current = `  ${word}`
    }
  }
  return [...lines, current]
}
