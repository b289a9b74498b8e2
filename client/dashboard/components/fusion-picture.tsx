import { type KeyboardEvent, useMemo, useState } from 'react'
import { widthOf } from '../../../shared/charts/labels.ts'
import type { LedgerReport } from '../../../shared/protocol/ledger.ts'
import { summariseLedger } from '../../../shared/protocol/summarise-ledger.ts'
import { colourOf } from '../lib/contributor-colour.ts'
import { counted, percent } from '../lib/format.ts'
import { type Contributor, contributors, layOutStrips, type StripPicture } from '../lib/strips.ts'
import { useParam } from '../lib/use-param.ts'
import { useWidth } from '../lib/use-width.ts'
import { NeuronGrid } from './neuron-grid.tsx'
import { FilterInput } from './ui/field.tsx'

const [BAR, HEAD] = [34, 26]

/** Whose neurons make a model, level by level: strips, the ribbons between them, and the neurons of one level. */
export function FusionPicture({ ledger }: { readonly ledger: LedgerReport }) {
  const [sought, seek] = useParam('client')
  const [opened, open] = useParam('level')
  const [pointed, setPointed] = useState<string | null>(null)
  const summary = useMemo(() => summariseLedger(ledger), [ledger])
  const isKnown = ledger.parents.includes(sought)
  const shown = useMemo(
    () => contributors(summary, isKnown ? sought : null),
    [summary, isKnown, sought],
  )
  const focus = pointed ?? (isKnown ? sought : null)
  const lit =
    focus === null ? -1 : shown.findIndex(({ client, label }) => (client ?? label) === focus)
  const level = ledger.groups.find(({ name }) => name === opened)
  return (
    <div className="fusion">
      <div className="fusion-people">
        {ledger.parents.length > shown.length - 1 && ledger.parents.length > 8 && (
          <>
            <FilterInput
              label="Find a client"
              list="fusion-clients"
              defaultValue={sought}
              onChange={(event) => seek(event.target.value.trim())}
            />
            <datalist id="fusion-clients">
              {ledger.parents.map((id) => (
                <option key={id} value={id} />
              ))}
            </datalist>
          </>
        )}
        <People {...{ shown, lit }} onPoint={setPointed} sought={sought} onSeek={seek} />
      </div>
      <Strips
        {...{ summary, shown, lit, opened }}
        onPoint={setPointed}
        onSeek={seek}
        onOpen={(name) => open(name === opened ? '' : name)}
      />
      {level !== undefined && (
        <NeuronGrid
          key={level.name}
          group={level}
          parents={ledger.parents}
          {...{ shown, lit }}
          onClose={() => open('')}
        />
      )}
    </div>
  )
}

interface PeopleProps {
  readonly shown: readonly Contributor[]
  readonly lit: number
  readonly sought: string
  readonly onPoint: (client: string | null) => void
  readonly onSeek: (client: string) => void
}

/** The legend: each name lights up its strips, by pointer or by focus, and stays lit when it is pressed. */
function People({ shown, lit, sought, onPoint, onSeek }: PeopleProps) {
  const most = Math.max(...shown.filter(({ slot }) => slot >= 0).map(({ share }) => share))
  const onKey = (event: KeyboardEvent<HTMLUListElement>) => {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key]
    if (step === undefined) return
    event.preventDefault()
    const buttons = [...event.currentTarget.querySelectorAll('button')]
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement)
    buttons[(at + step + buttons.length) % buttons.length]?.focus()
  }
  return (
    <ul className="people" aria-label="Clients whose neurons are in the model" onKeyDown={onKey}>
      {shown
        .map((one, of) => ({ ...one, of }))
        .sort((a, b) => Number(a.slot < 0) - Number(b.slot < 0) || b.share - a.share)
        .map(({ client, label, slot, share, of }) => (
          <li key={label}>
            <button
              type="button"
              className={lit >= 0 && lit !== of ? 'dim' : ''}
              aria-pressed={client !== null && sought === client}
              onPointerEnter={() => onPoint(client ?? label)}
              onPointerLeave={() => onPoint(null)}
              onFocus={() => onPoint(client ?? label)}
              onBlur={() => onPoint(null)}
              onClick={() => client !== null && onSeek(sought === client ? '' : client)}
            >
              <i style={{ background: colourOf(slot) }} />
              <span>{label}</span>
              <em aria-hidden="true">
                <i
                  style={{
                    width: slot < 0 ? 0 : `${(100 * share) / most}%`,
                    background: colourOf(slot),
                  }}
                />
              </em>
              <b>{percent(share)}</b>
            </button>
          </li>
        ))}
    </ul>
  )
}

interface StripsProps {
  readonly summary: ReturnType<typeof summariseLedger>
  readonly shown: readonly Contributor[]
  readonly lit: number
  readonly opened: string
  readonly onPoint: (client: string | null) => void
  readonly onSeek: (client: string) => void
  readonly onOpen: (level: string) => void
}

function Strips({ summary, shown, lit, opened, onPoint, onSeek, onOpen }: StripsProps) {
  const [ref, width] = useWidth<HTMLDivElement>()
  const gap = summary.groups.length > 8 ? 52 : 66
  const picture = useMemo(
    () => layOutStrips(summary, shown, { width, bar: BAR, gap, head: HEAD }),
    [summary, shown, width, gap],
  )
  const dim = (of: number) => (lit < 0 ? '' : lit === of ? 'lit' : 'dim')
  return (
    <div className="strips" ref={ref} style={{ height: picture.height + 4 }}>
      <svg
        width={width}
        height={picture.height + 4}
        role="img"
        aria-label={describe(picture, shown)}
      >
        {picture.ribbons.map(({ of, path }, i) => (
          <path
            key={i}
            className={`ribbon ${dim(of)}`}
            d={path}
            style={{ fill: colourOf(shown[of]!.slot) }}
          />
        ))}
        {picture.strips.map(({ name, y, segments }) => (
          <g key={name}>
            <rect className="strip-rest" x="0" y={y} width={width} height={BAR} />
            {segments.map(({ of, x, width: wide, share, slices }) => {
              const { label, slot, client } = shown[of]!
              const text = fitted(label, share, wide)
              if (wide < 0.1) return null
              return (
                <g
                  key={of}
                  className={`segment ${dim(of)}`}
                  onPointerEnter={() => onPoint(client ?? label)}
                  onPointerLeave={() => onPoint(null)}
                >
                  <rect
                    x={x}
                    y={y}
                    width={Math.max(0.5, wide - (wide > 4 ? 1.5 : 0))}
                    height={BAR}
                    style={{ fill: colourOf(slot) }}
                  />
                  <title>{`${label}: ${percent(share)} of ${name}`}</title>
                  {slices.map(({ parent, x: from, width: part, share: own }, i) => (
                    <rect
                      key={parent}
                      className="slice"
                      x={from}
                      y={y}
                      width={Math.max(0.3, part - (part > 3 ? 1 : 0))}
                      height={BAR}
                      style={{ fill: i % 2 === 0 ? 'var(--rest)' : 'var(--rest-odd)' }}
                      onClick={() => onSeek(summary.parents[parent]!)}
                    >
                      <title>{`${summary.parents[parent]!}: ${percent(own)} of ${name}`}</title>
                    </rect>
                  ))}
                  {text !== null && (
                    <text className={slot < 0 ? 'on-rest' : ''} x={x + 8} y={y + 22}>
                      {text}
                    </text>
                  )}
                </g>
              )
            })}
          </g>
        ))}
      </svg>
      {picture.strips.map(({ name, neurons, y }) => (
        <button
          key={name}
          type="button"
          className="strip-name"
          style={{ top: y - HEAD }}
          aria-expanded={opened === name}
          onClick={() => onOpen(name)}
        >
          <b>{name}</b> {counted(neurons, 'neuron')}
          <span aria-hidden="true">{opened === name ? 'close' : 'open'}</span>
        </button>
      ))}
    </div>
  )
}

/** Name and share where there is room for both, or the share alone; null: not even that. */
function fitted(label: string, share: number, width: number): string | null {
  const text = percent(share, 0)
  if (widthOf(`${label}  ${text}`) + 18 <= width) return `${label}  ${text}`
  return widthOf(text) + 12 <= width ? text : null
}

/** The picture in words. */
function describe({ strips }: StripPicture, shown: readonly Contributor[]): string {
  const levels = strips.map(({ name, segments }) => {
    const parts = segments
      .toSorted((a, b) => b.share - a.share)
      .slice(0, 3)
      .map(({ of, share }) => `${shown[of]!.label} ${percent(share, 0)}`)
    return `${name}: ${parts.join(', ')}`
  })
  return `Whose neurons make each level, input side first. ${levels.join('. ')}.`
}
