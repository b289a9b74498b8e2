import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matrixOf, measuresOf } from '../../../../../client/dashboard/lib/diversity.ts'
import {
  cellShapes,
  cellsOf,
  gridFor,
  owners,
} from '../../../../../client/dashboard/lib/neurons.ts'
import {
  contributors,
  layOutStrips,
  MOST_COLOURS,
} from '../../../../../client/dashboard/lib/strips.ts'
import type { LedgerReport } from '../../../../../shared/protocol/ledger.ts'
import { summariseLedger } from '../../../../../shared/protocol/summarise-ledger.ts'
import { createWorld } from '../../../../support/console/world.ts'

const five = createWorld({ clients: 5, rounds: 1 }).ledgerOf(1)!
const many = createWorld({ clients: 200, rounds: 1 }).ledgerOf(1)!
const SIZE = { width: 800, bar: 30, gap: 60, head: 20 }

describe('contributors', () => {
  it('should name everybody in the order of the ledger where there are colours for all', () => {
    const shown = contributors(summariseLedger(five))
    expect(shown.map(({ client }) => client)).toEqual(five.parents)
    expect(new Set(shown.map(({ slot }) => slot)).size).toBe(5)
  })

  it('should name the largest of many, and sum the others up', () => {
    const shown = contributors(summariseLedger(many))
    expect(shown).toHaveLength(MOST_COLOURS)
    const others = shown.at(-1)!
    expect(others).toMatchObject({ client: null, label: '193 others', slot: -1 })
    const shares = shown.slice(0, -1).map(({ share }) => share)
    const left = summariseLedger(many).parents.length - shares.length
    expect(Math.min(...shares)).toBeGreaterThan(others.share / left)
  })

  it('should name a client that is looked for, however little it made', () => {
    const least = contributors(summariseLedger(many)).at(-1)!.parents.at(-1)!
    const shown = contributors(summariseLedger(many), many.parents[least])
    expect(shown.map(({ client }) => client)).toContain(many.parents[least])
    expect(shown.at(-1)!.label).toBe('192 others')
  })

  it('should count each parent exactly once', () => {
    const counted = contributors(summariseLedger(many)).flatMap(({ parents }) => parents)
    expect(counted.toSorted((a, b) => a - b)).toEqual(many.parents.map((_, i) => i))
  })
})

describe('layOutStrips', () => {
  it('should fill each strip from end to end, as wide as the shares are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), weights), levels),
        (drawn) => {
          const summary = {
            parents: Array.from({ length: 12 }, (_, i) => `client-${i}`),
            groups: drawn.map((row, i) => {
              const sum = row.reduce((a, b) => a + b, 0)
              return { name: `level ${i}`, neurons: 9, shares: row.map((share) => share / sum) }
            }),
          }
          const shown = contributors(summary)
          const { strips, ribbons } = layOutStrips(summary, shown, SIZE)
          for (const { segments } of strips) {
            const end = segments.reduce((x, segment) => {
              expect(segment.x).toBeCloseTo(x, 6)
              return segment.x + segment.width
            }, 0)
            expect(end).toBeCloseTo(SIZE.width, 6)
          }
          expect(ribbons).toHaveLength((strips.length - 1) * shown.length)
        },
      ),
      { seed: 7, numRuns: 50 },
    )
  })

  it('should leave room where nothing went in, and cut the part of the others by client', () => {
    const summary = {
      parents: Array.from({ length: 10 }, (_, i) => `client-${i}`),
      groups: [{ name: 'dense', neurons: 4, shares: new Array<number>(10).fill(0.05) }],
    }
    const { strips } = layOutStrips(summary, contributors(summary), SIZE)
    const { segments } = strips[0]!
    expect(segments.reduce((sum, { width }) => sum + width, 0)).toBeCloseTo(SIZE.width / 2, 6)
    expect(segments.at(-1)!.slices).toHaveLength(3)
  })
})

describe('cells of a level', () => {
  const [group] = five.groups as [LedgerReport['groups'][number]]
  const shown = contributors(summariseLedger(five))
  const ownerOf = owners(shown, five.parents.length)

  it('should have every neuron once, in each order', () => {
    for (const order of ['owner', 'position', 'score'] as const) {
      const cells = cellsOf(group, order, ownerOf)
      expect(cells.map(({ neuron }) => neuron).toSorted((a, b) => a - b)).toEqual(
        group.neurons.map((_, i) => i),
      )
    }
  })

  it('should put neurons of one client beside each other', () => {
    const firsts = cellsOf(group, 'owner', ownerOf).map(({ parts }) => parts[0]!.parent)
    expect(firsts).toEqual(firsts.toSorted((a, b) => a - b))
  })

  it('should go from the highest score down, what has none last', () => {
    const scored = {
      name: 'dense',
      neurons: [
        [[0, 0, 1, 0.2]],
        [],
        [[1, 0, 1, null]],
        [[0, 1, 1, 0.9]],
      ] as LedgerReport['groups'][number]['neurons'],
    }
    const order = cellsOf(scored, 'score', ownerOf).map(({ neuron }) => neuron)
    expect(order.slice(0, 2)).toEqual([3, 0])
  })

  it('should draw each cell inside of its place, one shape a client', () => {
    const cells = cellsOf(group, 'owner', ownerOf)
    const grid = gridFor(cells.length, 400)
    const shapes = cellShapes(cells, ownerOf, grid)
    expect(shapes.length).toBeLessThanOrEqual(five.parents.length)
    const starts = shapes.flatMap(({ path }) => [...path.matchAll(/M([\d.]+) ([\d.]+)h([\d.]+)/g)])
    expect(starts).toHaveLength(cells.reduce((sum, { parts }) => sum + parts.length, 0))
    for (const [, x, y, width] of starts) {
      expect(Number(x) + Number(width)).toBeLessThanOrEqual(grid.columns * grid.pitch)
      expect(Number(y)).toBeLessThan(grid.rows * grid.pitch)
    }
  })

  it('should let clients take turns in colour where several are summed up', () => {
    const all = contributors(summariseLedger(many))
    const of = owners(all, many.parents.length)
    const level = many.groups[2]!
    const shapes = cellShapes(cellsOf(level, 'owner', of), of, gridFor(level.neurons.length, 800))
    expect(shapes.filter(({ isOdd }) => isOdd).map(({ of: owner }) => owner)).toEqual([
      all.length - 1,
    ])
  })
})

describe('matrixOf', () => {
  it('should find each pair from both sides, and nothing on the diagonal', () => {
    const { diversity } = createWorld({ clients: 5, rounds: 1 }).reportOf(1)!
    for (const measure of measuresOf(diversity!)) {
      const matrix = matrixOf(diversity!, measure)
      expect(matrix.map((row, i) => row[i])).toEqual(matrix.map(() => null))
      matrix.forEach((row, i) => row.forEach((value, j) => expect(value).toBe(matrix[j]![i])))
    }
  })
})

// Helpers

const weights = { minLength: 12, maxLength: 12 }
const levels = { minLength: 1, maxLength: 5 }
