import { type KeyboardEvent, type PointerEvent, useMemo, useState } from 'react'
import type { LedgerReport } from '../../../shared/protocol/ledger.ts'
import { colourOf } from '../lib/contributor-colour.ts'
import { counted, percent } from '../lib/format.ts'
import {
  CELL_ORDERS,
  type Cell,
  type CellOrder,
  cellShapes,
  cellsOf,
  gridFor,
  owners,
} from '../lib/neurons.ts'
import type { Contributor } from '../lib/strips.ts'
import { useParam } from '../lib/use-param.ts'
import { useWidth } from '../lib/use-width.ts'
import { Button } from './ui/button.tsx'
import { Segmented } from './ui/segmented.tsx'

const ORDER_NAMES = {
  owner: 'By client',
  position: 'By position',
  score: 'By score',
} as const satisfies Record<CellOrder, string>

interface NeuronGridProps {
  readonly group: LedgerReport['groups'][number]
  readonly parents: readonly string[]
  readonly shown: readonly Contributor[]
  /** Index of the contributor that is looked at; -1: none. */
  readonly lit: number
  readonly onClose: () => void
}

/** Every neuron of a level as a cell cut by whose it is; pointing or the arrow keys tell of one. */
export function NeuronGrid({ group, parents, shown, lit, onClose }: NeuronGridProps) {
  const [ref, width] = useWidth<HTMLDivElement>()
  const [wanted, setOrder] = useParam('cells')
  const order = CELL_ORDERS.find((one) => one === wanted) ?? 'owner'
  const [at, setAt] = useState(0)
  const [isRead, setRead] = useState(false)
  const ownerOf = useMemo(() => owners(shown, parents.length), [shown, parents])
  const cells = useMemo(() => cellsOf(group, order, ownerOf), [group, order, ownerOf])
  const grid = gridFor(cells.length, width)
  const shapes = useMemo(
    () => cellShapes(cells, ownerOf, gridFor(cells.length, width)),
    [cells, ownerOf, width],
  )
  const { columns, rows, pitch } = grid
  const go = (to: number) => {
    setRead(true)
    setAt(Math.min(cells.length - 1, Math.max(0, to)))
  }
  const onKey = (event: KeyboardEvent) => {
    const to = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      ArrowUp: at - columns,
      ArrowDown: at + columns,
      Home: 0,
      End: cells.length - 1,
    }[event.key]
    if (event.key === 'Escape') onClose()
    if (to === undefined) return
    event.preventDefault()
    go(to)
  }
  const onPointer = (event: PointerEvent<HTMLDivElement>) => {
    const box = event.currentTarget.getBoundingClientRect()
    const column = Math.floor((event.clientX - box.left) / pitch)
    const to = Math.floor((event.clientY - box.top) / pitch) * columns + column
    if (column < columns && to < cells.length) go(to)
  }
  const cell = cells[at]!
  return (
    <section className="neurons" aria-label={`Neurons of ${group.name}`}>
      <div className="toolbar">
        <h3>
          {group.name}: {counted(cells.length, 'neuron')}, {partsEach(cells)} a neuron
        </h3>
        <Segmented
          label="Order of the neurons"
          value={order}
          choices={CELL_ORDERS.map((one) => [one, ORDER_NAMES[one]])}
          onChange={(next) => setOrder(next === 'owner' ? '' : next)}
        />
        <Button kind="quiet" onClick={onClose}>
          Close
        </Button>
      </div>
      <div ref={ref}>
        <div
          className="cells"
          style={{ width: columns * pitch, height: rows * pitch }}
          role="listbox"
          tabIndex={0}
          aria-label={`Neurons of ${group.name}; the arrow keys go through them`}
          aria-activedescendant="neuron-at"
          onKeyDown={onKey}
          onPointerMove={onPointer}
          onPointerLeave={() => setRead(false)}
          onFocus={() => setRead(true)}
        >
          <svg width={columns * pitch} height={rows * pitch} aria-hidden="true">
            {shapes.map(({ of, isOdd, path }) => (
              <path
                key={`${of} ${isOdd}`}
                className={lit < 0 ? 'cell' : lit === of ? 'cell lit' : 'cell dim'}
                d={path}
                style={{ fill: isOdd ? 'var(--rest-odd)' : colourOf(shown[of]?.slot ?? -1) }}
              />
            ))}
            {isRead && (
              <rect
                className="cell-at"
                x={(at % columns) * pitch - 1.5}
                y={Math.floor(at / columns) * pitch - 1.5}
                width={pitch + 1}
                height={pitch + 1}
                rx="2"
              />
            )}
          </svg>
          <div
            id="neuron-at"
            role="option"
            aria-selected="true"
            aria-posinset={at + 1}
            aria-setsize={cells.length}
            className="visually-hidden"
          >
            {told(cell, parents)}
          </div>
        </div>
      </div>
      <NeuronFacts {...{ cell, parents, shown, ownerOf, isRead }} />
    </section>
  )
}

interface NeuronFactsProps {
  readonly cell: Cell
  readonly parents: readonly string[]
  readonly shown: readonly Contributor[]
  readonly ownerOf: readonly number[]
  readonly isRead: boolean
}

function NeuronFacts({ cell, parents, shown, ownerOf, isRead }: NeuronFactsProps) {
  if (!isRead)
    return (
      <p className="note">
        Point at a cell, or step through with the arrow keys, to see what it is made of.
      </p>
    )
  return (
    <p className="neuron-facts" aria-hidden="true">
      <b>Neuron {cell.neuron}</b>
      {cell.parts.length === 0 && <span>nothing went into it</span>}
      {cell.parts.map(({ parent, neuron, share, score }) => (
        <span key={`${parent} ${neuron}`}>
          <i style={{ background: colourOf(shown[ownerOf[parent]!]?.slot ?? -1) }} />
          {parents[parent]} <small>#{neuron}</small> <b>{percent(share)}</b>
          {score !== null && <small>score {score.toPrecision(3)}</small>}
        </span>
      ))}
    </p>
  )
}

function told({ neuron, parts }: Cell, parents: readonly string[]): string {
  if (parts.length === 0) return `Neuron ${neuron}: nothing went into it`
  const each = parts.map(({ parent, neuron: of, share, score }) => {
    const scored = score === null ? '' : `, score ${score.toPrecision(3)}`
    return `${parents[parent]!} neuron ${of} ${percent(share, 0)}${scored}`
  })
  return `Neuron ${neuron}: ${each.join('; ')}`
}

function partsEach(cells: readonly Cell[]): string {
  const filled = cells.filter(({ parts }) => parts.length > 0)
  const mean = filled.reduce((sum, { parts }) => sum + parts.length, 0) / Math.max(1, filled.length)
  return `${mean.toFixed(1)} parents`
}
