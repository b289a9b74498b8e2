import { memo, type UIEvent, useMemo, useState } from 'react'
import { Link } from 'react-router'
import type { ClientLane, ClientState } from '../../../shared/protocol/operator/live.ts'
import { bytes, coarse, percent } from '../lib/format.ts'
import { STATE_LABELS } from '../lib/labels.ts'
import { countStates, TRACK_MARKS, trackOf } from '../lib/lanes.ts'
import { useLane, useLive } from '../lib/use-live.ts'
import { useNow } from '../lib/use-now.ts'
import { useParam } from '../lib/use-param.ts'
import { Badge } from './ui/badge.tsx'
import { Empty } from './ui/empty.tsx'
import { FilterInput } from './ui/field.tsx'
import { Segmented } from './ui/segmented.tsx'
import { Sparkline } from './ui/sparkline.tsx'

/** Above it, lanes stand in a window of their own, of which only what is seen is drawn. */
const MOST_PLAIN = 40
const ROW = 44
const WINDOW = 560
const ORDERS = [
  ['name', 'By name'],
  ['behind', 'Furthest behind'],
] as const

/** One lane a client, with a picture of all of them above and filters in the page's address. */
export function Lanes() {
  const ids = useLive(({ laneIds }) => laneIds)
  const lanes = useLive((state) => state.lanes)
  const [state, setState] = useParam('state')
  const [text, setText] = useParam('q')
  const [order, setOrder] = useParam('order')
  const shown = useMemo(() => {
    const kept = ids.filter(
      (id) => id.includes(text.toLowerCase()) && (state === '' || lanes.get(id)?.state === state),
    )
    if (order !== 'behind') return kept
    const at = (id: string) => trackOf(lanes.get(id)!)
    return kept.toSorted((a, b) => at(a) - at(b))
  }, [ids, lanes, order, state, text])
  if (ids.length === 0)
    return (
      <Empty title="No clients in this round yet">
        Clients that are ready are invited when enough of them are there.
      </Empty>
    )
  return (
    <>
      <CohortMap ids={ids} onPick={setText} />
      <div className="toolbar">
        <StateFilter value={state} onChange={setState} />
        {ids.length > 8 && (
          <FilterInput
            label="Client"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        )}
        {ids.length > 8 && (
          <Segmented
            label="Order"
            value={order === 'behind' ? 'behind' : 'name'}
            choices={ORDERS}
            onChange={(next) => setOrder(next === 'name' ? '' : next)}
          />
        )}
      </div>
      {shown.length === 0 ? <Empty title="No client is like this now" /> : <LaneList ids={shown} />}
    </>
  )
}

/** How many are in each state; one of them filters. */
function StateFilter({
  value,
  onChange,
}: {
  readonly value: string
  readonly onChange: (state: string) => void
}) {
  const lanes = useLive((state) => state.lanes)
  const counts = countStates(lanes.values())
  return (
    <ul className="states" aria-label="Clients by state">
      {counts.map(([state, count]) => (
        <li key={state}>
          <button
            type="button"
            aria-pressed={value === state}
            onClick={() => onChange(value === state ? '' : state)}
          >
            <Badge tone={STATE_LABELS[state].tone}>{STATE_LABELS[state].text}</Badge> <b>{count}</b>
          </button>
        </li>
      ))}
    </ul>
  )
}

/** Every client as a tile that fills while it goes on: two hundred of them at one look. */
function CohortMap({
  ids,
  onPick,
}: {
  readonly ids: readonly string[]
  readonly onPick: (id: string) => void
}) {
  if (ids.length <= 12) return null
  return (
    <div className="cohort" aria-hidden="true">
      {ids.map((id) => (
        <Tile key={id} id={id} onPick={onPick} />
      ))}
    </div>
  )
}

const Tile = memo(function Tile({
  id,
  onPick,
}: {
  readonly id: string
  readonly onPick: (id: string) => void
}) {
  const lane = useLane(id)
  if (lane === undefined) return null
  const { text, tone } = STATE_LABELS[lane.state]
  return (
    <span className={`tile ${tone}`} title={`${id}: ${text}`} onClick={() => onPick(id)}>
      <i style={{ height: `${100 * trackOf(lane)}%` }} />
    </span>
  )
})

function LaneList({ ids }: { readonly ids: readonly string[] }) {
  const [top, setTop] = useState(0)
  if (ids.length <= MOST_PLAIN)
    return (
      <ol className="lanes" aria-label="Clients of the round">
        {ids.map((id) => (
          <LaneRow key={id} id={id} />
        ))}
      </ol>
    )
  const from = Math.max(0, Math.floor(top / ROW) - 4)
  const to = Math.min(ids.length, Math.ceil((top + WINDOW) / ROW) + 4)
  const onScroll = (event: UIEvent<HTMLDivElement>) => setTop(event.currentTarget.scrollTop)
  return (
    <div
      className="lanes-window"
      style={{ maxHeight: WINDOW }}
      onScroll={onScroll}
      tabIndex={0}
      role="region"
      aria-label="Clients of the round"
    >
      <ol className="lanes fixed" style={{ height: ids.length * ROW }}>
        {ids.slice(from, to).map((id, i) => (
          <LaneRow key={id} id={id} place={from + i} total={ids.length} />
        ))}
      </ol>
    </div>
  )
}

interface LaneRowProps {
  readonly id: string
  /** In a window: which row of how many. */
  readonly place?: number
  readonly total?: number
}

const LaneRow = memo(function LaneRow({ id, place, total }: LaneRowProps) {
  const lane = useLane(id)
  if (lane === undefined) return null
  const { state, losses, loss, problem } = lane
  const { text, tone } = STATE_LABELS[state]
  const placed =
    place === undefined
      ? {}
      : { 'aria-posinset': place + 1, 'aria-setsize': total, style: { top: place * ROW } }
  return (
    <li className={`lane ${tone}`} {...placed}>
      <Link to={`/clients/${id}`} className="lane-name">
        {id}
      </Link>
      <span className="lane-state">
        <Badge tone={tone}>{text}</Badge>
        {lane.done !== null && tone === 'busy' && <small>{percent(lane.done, 0)}</small>}
      </span>
      <Track lane={lane} />
      <span className="lane-loss">
        <Sparkline values={losses} width={96} height={24} label={lossLabel(losses)} />
        <small>{loss === null ? '–' : `loss ${loss.toFixed(2)}`}</small>
      </span>
      <span className="lane-bytes">{bytesOf(lane)}</span>
      <span className="lane-since">
        <Since at={lane.since} />
      </span>
      {problem !== null && <span className="lane-problem">{problem}</span>}
    </li>
  )
})

function Track({ lane }: { readonly lane: ClientLane }) {
  const isStopped: readonly ClientState[] = ['away', 'ready', 'quarantined', 'refused']
  const share = trackOf(lane)
  return (
    <span
      className={isStopped.includes(lane.state) ? 'track stopped' : 'track'}
      role="meter"
      aria-label={`Way of ${lane.client} through the round`}
      aria-valuenow={Math.round(100 * share)}
      aria-valuemin={0}
      aria-valuemax={100}
    >
      <span style={{ transform: `scaleX(${share})` }} />
      {TRACK_MARKS.map((mark) => (
        <i key={mark} style={{ left: `${100 * mark}%` }} />
      ))}
    </span>
  )
}

function Since({ at }: { readonly at: string }) {
  const now = useNow()
  return coarse(Math.max(0, (now - Date.parse(at)) / 1000))
}

function bytesOf({ receivedBytes, sizeBytes }: ClientLane): string {
  if (sizeBytes === null) return '–'
  if (receivedBytes >= sizeBytes) return bytes(sizeBytes)
  return `${bytes(receivedBytes)} of ${bytes(sizeBytes)}`
}

function lossLabel(losses: readonly number[]): string {
  const [first, last] = [losses[0], losses.at(-1)]
  if (first === undefined || last === undefined) return 'no training loss yet'
  return `training loss from ${first.toFixed(2)} to ${last.toFixed(2)} nats`
}
