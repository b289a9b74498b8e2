import type { Spread } from '../../../shared/numeric/spread.ts'

/** A share from 0 to 1, as in `92.35 %`. */
export const percent = (share: number): string => `${(100 * share).toFixed(2)} %`

/** For axes, whose marks are round. */
export const roundPercent = (share: number): string => `${Number((100 * share).toPrecision(6))} %`

export const wholePercent = (share: number): string => `${Math.round(100 * share)} %`

/** As in `92.35 ± 0.41 %`. */
export function percentSpread({ mean, deviation }: Spread): string {
  if (deviation === null) return percent(mean)
  return `${(100 * mean).toFixed(2)} ± ${(100 * deviation).toFixed(2)} %`
}

/** Percentage points with their sign, as in `+1.20 ± 0.30`. */
export function pointsSpread({ mean, deviation }: Spread): string {
  const signed = minus((100 * mean).toFixed(2))
  const text = Number(signed) > 0 ? `+${signed}` : signed
  return deviation === null ? text : `${text} ± ${(100 * deviation).toFixed(2)}`
}

/** As in `0.2345 ± 0.0012`. */
export function numberSpread({ mean, deviation }: Spread, digits: number): string {
  const text = minus(mean.toFixed(digits))
  return deviation === null ? text : `${text} ± ${deviation.toFixed(digits)}`
}

/** As in `1.2 MB` (10^6 bytes), `310 kB` or `512 B`. */
export function bytes(count: number): string {
  if (count < 1e3) return `${Math.round(count)} B`
  if (count < 1e6) return `${Math.round(count / 1e3)} kB`
  return count < 1e9 ? `${(count / 1e6).toFixed(1)} MB` : `${(count / 1e9).toFixed(2)} GB`
}

/** As in `12.3 s`, or `2 min 5 s` where it is long. */
export function seconds(count: number): string {
  if (count < 100) return `${count.toFixed(1)} s`
  const whole = Math.round(count)
  return `${Math.floor(whole / 60)} min ${whole % 60} s`
}

export const counted = (count: number, noun: string, plural = `${noun}s`): string =>
  `${count.toLocaleString('en')} ${count === 1 ? noun : plural}`

/** With a minus sign instead of a hyphen, and no negative zero. */
function minus(text: string): string {
  return Number(text) === 0 ? text.replace('-', '') : text.replace('-', '−')
}
