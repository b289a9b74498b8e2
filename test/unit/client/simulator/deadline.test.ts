import { expect, it } from 'vitest'
import { deadlineOf } from '../../../../client/simulator/deadline.ts'

it.each([
  { given: undefined, hasFaults: false, seconds: 86_400 },
  { given: undefined, hasFaults: true, seconds: 600 },
  { given: 30, hasFaults: false, seconds: 30 },
  { given: 30, hasFaults: true, seconds: 30 },
])(
  'should wait $seconds s with --deadline $given and faults: $hasFaults',
  ({ given, hasFaults, seconds }) => {
    expect(deadlineOf(given, hasFaults)).toBe(seconds)
  },
)
