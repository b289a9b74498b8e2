import { expect, it } from 'vitest'
import { endsRun, measuresControls } from '../../../../server/coordinator/ends-run.ts'

it.each([
  { settings: { rounds: 3 }, round: 2, accuracy: 1, ends: false },
  { settings: { rounds: 3 }, round: 3, accuracy: 0, ends: true },
  { settings: { rounds: 3, targetAccuracy: 0.9 }, round: 1, accuracy: 0.9, ends: true },
  { settings: { rounds: 3, targetAccuracy: 0.9 }, round: 1, accuracy: 0.89, ends: false },
  { settings: { rounds: 3, targetAccuracy: 0.9 }, round: 3, accuracy: 0.89, ends: true },
])('round $round at $accuracy of $settings: $ends', ({ settings, round, accuracy, ends }) => {
  expect(endsRun(settings, { round, accuracy })).toBe(ends)
})

it.each([
  { controls: undefined, before: true, last: true },
  { controls: 'each', before: true, last: true },
  { controls: 'last', before: false, last: true },
  { controls: 'none', before: false, last: false },
] as const)('controls $controls: $before before the last round, $last in it', (of) => {
  const settings = of.controls === undefined ? {} : { controls: of.controls }
  expect(measuresControls(settings, { isLast: false })).toBe(of.before)
  expect(measuresControls(settings, { isLast: true })).toBe(of.last)
})
