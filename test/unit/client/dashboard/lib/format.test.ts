import { describe, expect, it } from 'vitest'
import {
  aboutSeconds,
  ago,
  bytes,
  coarse,
  counted,
  nats,
  percent,
  points,
  seconds,
} from '../../../../../client/dashboard/lib/format.ts'

describe('numbers with their units', () => {
  it.each([
    [percent(0.9235), '92.3 %'],
    [percent(0.9235, 2), '92.35 %'],
    [percent(1, 0), '100 %'],
    [points(0.0123), '+1.2 pt'],
    [points(-0.0123), '−1.2 pt'],
    [points(-0.0001), '0.0 pt'],
    [nats(0.2345), '0.234 nats'],
    [bytes(512), '512 B'],
    [bytes(249_312), '249 kB'],
    [bytes(1_246_560), '1.2 MB'],
    [bytes(3_200_000_000), '3.20 GB'],
    [seconds(0.42), '0.4 s'],
    [seconds(38.4), '38 s'],
    [seconds(125), '2 min 5 s'],
    [seconds(120), '2 min'],
    [seconds(3599.6), '1 h'],
    [seconds(12_000), '3 h 20 min'],
    [seconds(90_000), '1 d 1 h'],
    [aboutSeconds(3), 'less than 10 s'],
    [aboutSeconds(52), 'about 50 s'],
    [aboutSeconds(170), 'about 3 min'],
    [aboutSeconds(5400), 'about 1.5 h'],
    [coarse(200), '3 min'],
    [counted(1, 'client'), '1 client'],
    [counted(1200, 'client'), '1,200 clients'],
  ])('should write %j', (text, expected) => {
    expect(text.replaceAll('\u202f', ' ')).toBe(expected)
  })

  it('should call what is new, or from a clock that is ahead, just now', () => {
    const now = Date.parse('2026-11-28T14:00:00Z')
    expect(ago('2026-11-28T13:59:57Z', now)).toBe('just now')
    expect(ago('2026-11-28T14:00:09Z', now)).toBe('just now')
    expect(ago('2026-11-28T13:56:00Z', now).replaceAll('\u202f', ' ')).toBe('4 min ago')
  })
})
