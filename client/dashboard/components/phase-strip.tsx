import type { RoundView } from '../../../shared/protocol/operator/live.ts'
import type { RoundSummary } from '../../../shared/protocol/operator/resources.ts'
import { coarse, seconds } from '../lib/format.ts'
import { PHASE_LABELS, type RoundPhase } from '../lib/labels.ts'
import { useNow } from '../lib/use-now.ts'

const PHASES = ['recruiting', 'collecting', 'fusing', 'tuning', 'evaluating', 'published'] as const

/** The phases of a round, where it is, and what each took in the round before. */
export function PhaseStrip({
  round,
  before,
}: {
  readonly round: RoundView
  readonly before: RoundSummary | undefined
}) {
  const now = useNow()
  const at = PHASES.findIndex((phase) => phase === round.phase)
  return (
    <ol className="phases" aria-label="Phases of the round">
      {PHASES.map((phase, i) => {
        const isNow = phase === round.phase
        const took = tookBefore(phase, before)
        const passed = (now - Date.parse(round.phaseSince)) / 1000
        return (
          <li
            key={phase}
            className={isNow ? 'current' : i < at ? 'over' : ''}
            aria-current={isNow ? 'step' : undefined}
          >
            <span>{PHASE_LABELS[phase].text}</span>
            <small>
              {isNow ? <b>{coarse(Math.max(0, passed))}</b> : null}
              {isNow && took !== null ? ' · ' : ''}
              {took === null ? (isNow ? '' : '\u00a0') : `${seconds(took)} last`}
            </small>
          </li>
        )
      })}
    </ol>
  )
}

function tookBefore(phase: RoundPhase, before: RoundSummary | undefined): number | null {
  if (before === undefined) return null
  const { train, attribute, upload, fuse, tune, evaluate } = before.seconds
  switch (phase) {
    case 'collecting':
      return train + attribute + upload
    case 'fusing':
      return fuse
    case 'tuning':
      return tune
    case 'evaluating':
      return evaluate
    case 'recruiting':
    case 'published':
    case 'failed':
      return null
  }
}
