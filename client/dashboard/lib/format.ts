/** Between a number and its unit: thin, and never at the end of a line. */
const GAP = '\u202f'

/** A share from 0 to 1, as in `92.4 %`. */
export function percent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)}${GAP}%`
}

/** Difference of two shares in percentage points with its sign, as in `+1.2 pt`. */
export function points(difference: number): string {
  return `${signed((100 * difference).toFixed(1))}${GAP}pt`
}

/** Cross-entropy, in nats. */
export function nats(loss: number): string {
  return `${loss.toFixed(3)}${GAP}nats`
}

/** As in `1.2 MB` (10^6 bytes), `310 kB` or `512 B`. */
export function bytes(count: number): string {
  if (count < 1e3) return `${Math.round(count)}${GAP}B`
  if (count < 1e6) return `${Math.round(count / 1e3)}${GAP}kB`
  if (count < 1e9) return `${(count / 1e6).toFixed(1)}${GAP}MB`
  return `${(count / 1e9).toFixed(2)}${GAP}GB`
}

/** As in `0.4 s`, `38 s`, `2 min 5 s` or `3 h 20 min`. */
export function seconds(count: number): string {
  if (count < 10) return `${count.toFixed(1)}${GAP}s`
  const whole = Math.round(count)
  if (whole < 60) return `${whole}${GAP}s`
  if (whole < 3600) return joined([Math.floor(whole / 60), 'min'], [whole % 60, 's'])
  const minutes = Math.round(count / 60)
  if (minutes < 1440) return joined([Math.floor(minutes / 60), 'h'], [minutes % 60, 'min'])
  return joined([Math.floor(minutes / 1440), 'd'], [Math.floor((minutes % 1440) / 60), 'h'])
}

function joined(...parts: readonly (readonly [number, string])[]): string {
  return parts
    .filter(([count], i) => i === 0 || count > 0)
    .map(([count, unit]) => `${count}${GAP}${unit}`)
    .join(' ')
}

/** An estimate says no more than it knows: `about 3 min`, `less than 10 s`. */
export function aboutSeconds(count: number): string {
  if (count < 10) return `less than 10${GAP}s`
  if (count < 55) return `about ${Math.round(count / 10) * 10}${GAP}s`
  if (count < 3300) return `about ${Math.round(count / 60)}${GAP}min`
  return `about ${(count / 3600).toFixed(1)}${GAP}h`
}

/** As in `3 min ago`; `just now` within five seconds, and for clocks that differ. */
export function ago(at: string, nowMs: number): string {
  const passed = (nowMs - Date.parse(at)) / 1000
  return passed < 5 ? 'just now' : `${coarse(passed)} ago`
}

/** The largest unit alone: `3 min`. */
export function coarse(count: number): string {
  if (count < 60) return `${Math.round(count)}${GAP}s`
  if (count < 3600) return `${Math.floor(count / 60)}${GAP}min`
  if (count < 86_400) return `${Math.floor(count / 3600)}${GAP}h`
  return `${Math.floor(count / 86_400)}${GAP}d`
}

/** In the reader's time zone, as in `28 Nov 2026, 14:03:21`. */
export function dateTime(at: string): string {
  return new Date(at).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' })
}

/** As in `14:03:21`. */
export function timeOfDay(at: string): string {
  return new Date(at).toLocaleTimeString('en-GB')
}

/** As in `12,400 examples`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? noun : plural}`
}

/** The head of a hash, enough to tell files of a run apart. */
export function shortHash(hash: string): string {
  return hash.slice(0, 10)
}

/** With a real minus, and a plus where it is more than nothing. */
export function signed(text: string): string {
  const value = Number(text)
  if (value === 0) return text.replace('-', '')
  return value > 0 ? `+${text}` : text.replace('-', '\u2212')
}
