import { Link } from 'react-router'
import type { RoundSummary, RunResource } from '../../../shared/protocol/operator/resources.ts'
import { attention } from '../lib/attention.ts'
import { aboutSeconds, counted, seconds } from '../lib/format.ts'
import { PHASE_LABELS, STATE_LABELS } from '../lib/labels.ts'
import { countStates, trackOf } from '../lib/lanes.ts'
import { useClients } from '../lib/queries.ts'
import { useLive } from '../lib/use-live.ts'
import { useNow } from '../lib/use-now.ts'
import { PhaseStrip } from './phase-strip.tsx'
import { Badge } from './ui/badge.tsx'
import { Meter } from './ui/meter.tsx'

interface PresentProps {
  readonly rounds: readonly RoundSummary[]
  readonly run: RunResource | undefined
}

/** The round that goes on: phase, honest remaining time, deadline, quorum, and whom it waits for. */
export function Present({ rounds, run }: PresentProps) {
  const federation = useLive((state) => state.federation)
  const now = useNow()
  if (federation === null) return null
  const { round, isPaused } = federation
  if (round === null)
    return (
      <div className="present idle">
        <p className="present-what">
          {isPaused ? 'Paused' : 'Nothing is going on'}
          <small>
            {isPaused
              ? 'The next round waits until somebody resumes the run.'
              : federation.staysForRuns
                ? `${counted(federation.clients.connected, 'client')} connected; the coordinator waits for a run.`
                : 'This coordinator takes no runs from operators: it was started without --stay.'}
          </small>
        </p>
      </div>
    )
  const left = round.deadlineAt === null ? null : (Date.parse(round.deadlineAt) - now) / 1000
  return (
    <div className="present">
      <div className="present-head">
        <p className="present-what">
          <Link to={`/runs/${round.run}/rounds/${round.round}`}>Round {round.round}</Link>
          {run !== undefined && run.id === round.run && ` of ${run.settings.rounds}`}:{' '}
          {PHASE_LABELS[round.phase].doing}
          {round.detail !== null && `, ${round.detail}`}
        </p>
        <dl className="present-facts">
          <div>
            <dt>To the end of the round</dt>
            <dd>
              {round.remainingSeconds === null ? 'unknown' : aboutSeconds(round.remainingSeconds)}
              <small>
                {round.remainingSeconds === null
                  ? 'no earlier round to go by'
                  : 'going by earlier rounds'}
              </small>
            </dd>
          </div>
          {left !== null && (
            <div>
              <dt>Deadline</dt>
              <dd>{left > 0 ? `in ${seconds(left)}` : 'passed'}</dd>
            </div>
          )}
          <div className="grow">
            <dt>Updates</dt>
            <dd>
              {round.updates} of {round.cohort}
              <small>
                {round.updates >= round.quorum
                  ? `quorum of ${round.quorum} reached`
                  : `quorum ${round.quorum}`}
                {round.goal < round.cohort && `, goal ${round.goal}`}
              </small>
              <Meter
                value={round.updates}
                most={round.cohort}
                mark={round.quorum}
                label="Updates accepted"
              />
            </dd>
          </div>
        </dl>
      </div>
      <PhaseStrip round={round} before={rounds.at(-1)} />
      <WaitingFor />
    </div>
  )
}

const NAMED = 4

/** Who holds the round up: those that are furthest behind. */
function WaitingFor() {
  const lanes = useLive((state) => state.lanes)
  const phase = useLive((state) => state.federation?.round?.phase)
  if (phase !== 'collecting') return null
  const busy = [...lanes.values()].filter(
    ({ state, isInCohort }) =>
      isInCohort &&
      STATE_LABELS[state].tone !== 'good' &&
      STATE_LABELS[state].tone !== 'bad' &&
      state !== 'away',
  )
  const behind = busy.toSorted((a, b) => trackOf(a) - trackOf(b)).slice(0, NAMED)
  if (behind.length === 0) return null
  return (
    <p className="waiting">
      Furthest behind:{' '}
      {behind.map((lane) => (
        <span key={lane.client}>
          <Link to={`/clients/${lane.client}`}>{lane.client}</Link> {STATE_LABELS[lane.state].text}
          {lane.done !== null && ` ${Math.round(100 * lane.done)}\u202f%`}
        </span>
      ))}
      {busy.length > behind.length && <span>and {busy.length - behind.length} more</span>}
    </p>
  )
}

/** What an operator should look at, if anything. */
export function NeedsAttention({ rounds }: { readonly rounds: readonly RoundSummary[] }) {
  const federation = useLive((state) => state.federation)
  const lanes = useLive((state) => state.lanes)
  const nowMs = useNow()
  if (federation === null) return null
  const notices = attention({ federation, lanes: lanes.values(), rounds, nowMs })
  if (notices.length === 0) return null
  return (
    <ul className="attention" aria-label="Needs attention">
      {notices.map(({ id, tone, text, href }) => (
        <li key={id}>
          <Link to={href}>
            <Badge tone={tone}>{text}</Badge>
          </Link>
        </li>
      ))}
    </ul>
  )
}

/** How many clients are in each state, as one bar. */
export function StateBar() {
  const lanes = useLive((state) => state.lanes)
  const federation = useLive((state) => state.federation)
  const clients = useClients()
  const idle = clients.data?.map(
    ({ isConnected }) => ({ state: isConnected ? 'ready' : 'away' }) as const,
  )
  const counts = countStates(lanes.size > 0 ? lanes.values() : (idle ?? []))
  const total = counts.reduce((sum, [, count]) => sum + count, 0)
  if (federation === null) return null
  const { connected, known: all, banned } = federation.clients
  return (
    <>
      <p className="big">
        {connected}{' '}
        <small>
          of {counted(Math.max(all, connected), 'client')} connected
          {banned > 0 && `, ${banned} banned`}
        </small>
      </p>
      {total > 0 && (
        <>
          <div className="state-bar" aria-hidden="true">
            {counts.map(([state, count]) => (
              <span key={state} className={STATE_LABELS[state].tone} style={{ flexGrow: count }} />
            ))}
          </div>
          <ul className="state-list">
            {counts.map(([state, count]) => (
              <li key={state}>
                <Badge tone={STATE_LABELS[state].tone}>{STATE_LABELS[state].text}</Badge>
                <b>{count}</b>
              </li>
            ))}
          </ul>
        </>
      )}
      <p className="note">
        <Link to="/clients">All clients</Link>
      </p>
    </>
  )
}
