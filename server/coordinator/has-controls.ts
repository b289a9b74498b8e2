import type { RunSettings } from '../../shared/protocol/run-settings.ts'

/** Whether parents, their diversity and controls are measured in a round, which may be the run's last one. */
export function hasControls(
  { controls = 'each' }: Pick<RunSettings, 'controls'>,
  isLast: boolean,
): boolean {
  return controls === 'each' || (controls === 'last' && isLast)
}
