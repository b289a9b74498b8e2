import type { RunSettings } from '../../shared/protocol/run-settings.ts'

/** Whether a round measures parents, their diversity and controls. */
export function measuresControls(
  { controls = 'each' }: Pick<RunSettings, 'controls'>,
  { isLast }: { readonly isLast: boolean },
): boolean {
  return controls === 'each' || (controls === 'last' && isLast)
}

/** Whether a run ends with a round: it is the last one, or the model that it publishes is as accurate as was asked. */
export function endsRun(
  { rounds, targetAccuracy = Infinity }: Pick<RunSettings, 'rounds' | 'targetAccuracy'>,
  { round, accuracy }: { readonly round: number; readonly accuracy: number },
): boolean {
  return round >= rounds || accuracy >= targetAccuracy
}
