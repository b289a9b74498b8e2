import type { RoundSummary } from '../../../shared/protocol/operator/resources.ts'
import { bytes, seconds } from '../lib/format.ts'
import { type BarPart, BarSeries } from './ui/bar-series.tsx'

const PHASES = [
  ['train', 'train', 'var(--h7)'],
  ['attribute', 'score neurons', 'var(--h5)'],
  ['upload', 'upload', 'var(--h3)'],
  ['fuse', 'fuse', 'var(--s1)'],
  ['tune', 'tune', 'var(--s5)'],
  ['evaluate', 'evaluate', 'var(--rest)'],
] as const satisfies readonly (readonly [keyof RoundSummary['seconds'], string, string])[]

const PHASE_PARTS = PHASES.map(([, label, colour]): BarPart => ({ label, colour }))
const DIRECTIONS: readonly BarPart[] = [
  { label: 'up', colour: 'var(--accent)' },
  { label: 'down', colour: 'var(--rest)' },
]

/** What each round spent its time on, the clients in blue, the coordinator not; clients count by the slowest of them. */
export function SecondsBars({ rounds }: { readonly rounds: readonly RoundSummary[] }) {
  const bars = rounds.map(({ round, seconds }) => ({
    name: `round ${round}`,
    values: PHASES.map(([phase]) => seconds[phase]),
  }))
  return <BarSeries title="Seconds by phase" parts={PHASE_PARTS} bars={bars} format={seconds} />
}

/** Payload bytes of all clients together. */
export function BytesBars({ rounds }: { readonly rounds: readonly RoundSummary[] }) {
  const bars = rounds.map((one) => ({
    name: `round ${one.round}`,
    values: [one.bytes.up, one.bytes.down],
  }))
  return <BarSeries title="Bytes on the wire" parts={DIRECTIONS} bars={bars} format={bytes} />
}
