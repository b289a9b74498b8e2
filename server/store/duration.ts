const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Reads a duration as people write one: `90m`, `12h`, `30d`. @returns milliseconds, or null */
export function parseDuration(text: string): number | null {
  const match = /^([1-9]\d{0,5})([mhd])$/.exec(text)
  if (match === null) return null
  return Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS]
}
