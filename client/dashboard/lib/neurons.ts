import type { LedgerReport } from '../../../shared/protocol/ledger.ts'
import type { Contributor } from './strips.ts'

/** A part of a fused neuron: whose, and how much of it. */
export interface Part {
  readonly parent: number
  readonly neuron: number
  readonly share: number
  readonly score: number | null
}

/** A fused neuron; the largest part first. */
export interface Cell {
  readonly neuron: number
  readonly parts: readonly Part[]
}

export const CELL_ORDERS = ['owner', 'position', 'score'] as const
export type CellOrder = (typeof CELL_ORDERS)[number]

type Group = LedgerReport['groups'][number]

/**
 * The neurons of a level, ordered. Score is that of the largest part; neurons without one come last.
 *
 * @param ownerOf from a parent to the contributor that it counts with, in whose order owners stand
 */
export function cellsOf({ neurons }: Group, order: CellOrder, ownerOf: readonly number[]): Cell[] {
  const cells = neurons.map((parts, neuron): Cell => ({
    neuron,
    parts: parts
      .map(([parent, of, share, score]) => ({ parent, neuron: of, share, score }))
      .sort((a, b) => b.share - a.share),
  }))
  const first = ({ parts }: Cell) => parts[0]?.parent ?? Infinity
  const owner = ({ parts }: Cell) => ownerOf[parts[0]?.parent ?? -1] ?? Infinity
  const share = ({ parts }: Cell) => parts[0]?.share ?? 0
  const score = ({ parts }: Cell) => parts[0]?.score ?? -Infinity
  switch (order) {
    case 'position':
      return cells
    case 'owner':
      return cells.sort(
        (a, b) => compare(owner(a), owner(b)) || compare(first(a), first(b)) || share(b) - share(a),
      )
    case 'score':
      return cells.sort((a, b) => compare(score(b), score(a)))
  }
}

/** For numbers that may both be infinite. */
const compare = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1)

export interface Grid {
  readonly columns: number
  readonly rows: number
  /** Pixels from one cell to the next. */
  readonly pitch: number
}

/** What a level's picture is about as high as, in pixels. */
const HEIGHT = 210

/** Cells as large as fit well: a level of 32 is no poster, one of 4,096 is no wall. */
export function gridFor(count: number, width: number): Grid {
  const fitting = Math.floor(Math.sqrt((width * HEIGHT) / Math.max(1, count)))
  const pitch = Math.min(30, Math.max(8, fitting))
  const columns = Math.max(1, Math.min(count, Math.floor(width / pitch)))
  return { columns, rows: Math.ceil(count / columns), pitch }
}

/** One shape for all cells of a colour: a wide level is a dozen elements, not thousands. */
export interface CellShape {
  readonly of: number
  /** Neighbours in a contributor that sums up several clients take turns, so that one ends where the other begins. */
  readonly isOdd: boolean
  readonly path: string
}

/**
 * Cells cut by the shares of their parts, from the left.
 *
 * @param ownerOf from a parent to the contributor that it counts with
 */
export function cellShapes(
  cells: readonly Cell[],
  ownerOf: readonly number[],
  { columns, pitch }: Grid,
): CellShape[] {
  const size = pitch - (pitch > 12 ? 2 : 1)
  const paths = new Map<string, { of: number; isOdd: boolean; path: string[] }>()
  const [isShared, turns] = [sharedOwners(ownerOf), new Map<number, boolean>()]
  cells.forEach(({ parts }, i) => {
    const [left, top] = [(i % columns) * pitch, Math.floor(i / columns) * pitch]
    let x = left
    for (const { parent, share } of parts) {
      const width = share * size
      const of = ownerOf[parent]!
      if (!turns.has(parent)) turns.set(parent, isShared.has(of) && turns.size % 2 === 1)
      const isOdd = turns.get(parent)!
      const shape = paths.get(`${of} ${isOdd}`) ?? { of, isOdd, path: [] }
      paths.set(`${of} ${isOdd}`, shape)
      shape.path.push(`M${r(x)} ${top}h${r(width)}v${size}h${r(-width)}z`)
      x += width
    }
  })
  return [...paths.values()].map(({ of, isOdd, path }) => ({ of, isOdd, path: path.join('') }))
}

function sharedOwners(ownerOf: readonly number[]): Set<number> {
  return new Set(ownerOf.filter((of, i) => ownerOf.indexOf(of) !== i))
}

/** From each parent of the ledger to the contributor that it counts with. */
export function owners(shown: readonly Contributor[], parents: number): number[] {
  const ownerOf = new Array<number>(parents).fill(-1)
  shown.forEach((contributor, of) => {
    for (const parent of contributor.parents) ownerOf[parent] = of
  })
  return ownerOf
}

const r = (value: number): number => Math.round(value * 10) / 10
