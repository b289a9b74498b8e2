import type { ClientLane, FederationView } from '../../../shared/protocol/operator/live.ts'
import type { RoundSummary } from '../../../shared/protocol/operator/resources.ts'
import { bestControl } from './curves.ts'
import { counted, percent, points, seconds } from './format.ts'
import type { Tone } from './labels.ts'

/** Something that an operator should know without looking for it. */
export interface Notice {
  readonly id: string
  readonly tone: Tone
  readonly text: string
  /** Page that shows more, or where something can be done. */
  readonly href: string
}

export interface Seen {
  readonly federation: FederationView
  readonly lanes: Iterable<ClientLane>
  readonly rounds: readonly RoundSummary[]
  readonly nowMs: number
}

/** A deadline is near when a tenth of the time is left, and half a minute is always near. */
const NEAR_SHARE = 0.1
const NEAR_SECONDS = 30
const NAMED = 3

/** What needs a look, most urgent first. */
export function attention({ federation, lanes, rounds, nowMs }: Seen): Notice[] {
  const all = [...lanes]
  return [
    ...deadlineNotice(federation, nowMs),
    ...laneNotices(federation, all),
    ...modelNotices(federation, rounds),
    ...pausedNotice(federation),
  ]
}

function deadlineNotice({ round }: FederationView, nowMs: number): Notice[] {
  if (round?.deadlineAt == null || round.updates >= round.quorum) return []
  const left = (Date.parse(round.deadlineAt) - nowMs) / 1000
  const whole = (Date.parse(round.deadlineAt) - Date.parse(round.phaseSince)) / 1000
  if (left < 0 || left > Math.max(NEAR_SECONDS, whole * NEAR_SHARE)) return []
  const missing = counted(round.quorum - round.updates, 'update')
  return [
    {
      id: 'deadline',
      tone: 'bad',
      text: `The deadline is in ${seconds(left)} and ${missing} are missing to the quorum.`,
      href: `/runs/${round.run}/rounds/${round.round}`,
    },
  ]
}

function laneNotices({ round }: FederationView, lanes: readonly ClientLane[]): Notice[] {
  if (round === null) return []
  const here = `/runs/${round.run}/rounds/${round.round}`
  const named = (state: ClientLane['state']) => {
    const ids = lanes.filter((lane) => lane.state === state).map(({ client }) => client)
    const more = ids.length > NAMED ? ` and ${ids.length - NAMED} more` : ''
    return { count: ids.length, text: ids.slice(0, NAMED).join(', ') + more }
  }
  const [bad, refused, away] = [named('quarantined'), named('refused'), named('away')]
  return [
    ...(bad.count > 0
      ? [
          {
            id: 'quarantined',
            tone: 'bad',
            text: `Update set aside: ${bad.text}.`,
            href: '/quarantine',
          } as const,
        ]
      : []),
    ...(refused.count > 0
      ? [
          {
            id: 'refused',
            tone: 'bad',
            text: `Update refused: ${refused.text}.`,
            href: here,
          } as const,
        ]
      : []),
    ...(away.count > 0
      ? [
          {
            id: 'away',
            tone: 'warn',
            text: `Gone from the round: ${away.text}.`,
            href: `${here}?state=away`,
          } as const,
        ]
      : []),
  ]
}

function modelNotices({ run }: FederationView, rounds: readonly RoundSummary[]): Notice[] {
  const last = rounds.at(-1)
  if (last === undefined || run === null) return []
  const href = `/runs/${run}/rounds/${last.round}`
  const control = bestControl(last)
  const kept =
    rounds.length - 1 - rounds.findLastIndex(({ published }) => published.candidate !== 'kept')
  return [
    ...(kept > 0
      ? [
          {
            id: 'kept',
            tone: 'warn',
            text: `The gate has kept the old model for ${counted(kept, 'round')}.`,
            href,
          } as const,
        ]
      : []),
    ...(control !== null && control.accuracy > last.published.accuracy
      ? [
          {
            id: 'control',
            tone: 'warn',
            text: `Round ${last.round} is ${points(last.published.accuracy - control.accuracy)} behind “${control.label}” (${percent(control.accuracy)}).`,
            href,
          } as const,
        ]
      : []),
  ]
}

function pausedNotice({ isPaused, run }: FederationView): Notice[] {
  if (!isPaused || run === null) return []
  return [
    {
      id: 'paused',
      tone: 'warn',
      text: 'Paused: the next round waits for an operator.',
      href: `/runs/${run}`,
    },
  ]
}
