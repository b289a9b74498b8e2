import { expect, it } from 'vitest'
import { deadlineOf } from '../../../../client/simulator/deadline.ts'

it.each([
  { given: undefined, clients: 5, hasFaults: false, seconds: 600 },
  { given: undefined, clients: 200, hasFaults: false, seconds: 6000 },
  { given: undefined, clients: 200, hasFaults: true, seconds: 600 },
  { given: 30, clients: 200, hasFaults: false, seconds: 30 },
  { given: 30, clients: 5, hasFaults: true, seconds: 30 },
])(
  'should wait $seconds s for $clients clients with --deadline $given and faults: $hasFaults',
  ({ given, seconds, ...of }) => {
    expect(deadlineOf(given, of)).toBe(seconds)
  },
)
