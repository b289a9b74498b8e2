import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assign } from '../../../../shared/numeric/assignment.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { transportPlan } from '../../../../shared/numeric/transport.ts'

describe('transportPlan', () => {
  it('should split a supply over the demands it meets most cheaply', () => {
    const plan = transportPlan(Float64Array.of(1, 2, 9, 3, 1, 1), [3, 2], [1, 2, 2])
    expect([...plan]).toEqual([1, 2, 0, 0, 0, 2])
  })

  it('should be an exact permutation where supply and demand are uniform', () => {
    const n = 40
    const cost = randomCosts(n * n, 'uniform')
    const plan = transportPlan(
      cost,
      new Array<number>(n).fill(1 / n),
      new Float64Array(n).fill(1 / n),
    )
    assign(cost, { rows: n, columns: n }).forEach((column, row) => {
      for (let j = 0; j < n; j++) expect(plan[row * n + j]).toBe(j === column ? 1 / n : 0)
    })
  })

  it('should cost what an assignment of the single units costs, for integer amounts', () => {
    const small = fc.integer({ min: 0, max: 4 })
    const problem = fc
      .tuple(fc.array(small, { minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 6 }))
      .chain(([supply, columns]) => {
        const units = supply.reduce((a, b) => a + b, 0)
        const size = supply.length * columns
        return fc.record({
          supply: fc.constant(supply),
          owners: fc.array(fc.nat(columns - 1), { minLength: units, maxLength: units }),
          columns: fc.constant(columns),
          cost: fc.array(fc.integer({ min: -3, max: 3 }), { minLength: size, maxLength: size }),
        })
      })
    fc.assert(
      fc.property(problem, ({ supply, owners, columns, cost }) => {
        const demand = new Array<number>(columns).fill(0)
        for (const j of owners) demand[j]!++
        const costs = Float64Array.from(cost)
        const plan = transportPlan(costs, supply, demand)
        expectMarginals(plan, supply, demand)
        expect(totalCost(costs, plan)).toBeCloseTo(unitByUnit(costs, supply, demand), 9)
      }),
    )
  })

  it('should admit prices that prove it optimal: reduced costs >= 0, and 0 where something is sent', () => {
    for (const [rows, columns, seed] of [
      [60, 60, 'square'],
      [70, 30, 'tall'],
      [30, 70, 'wide'],
    ] as const) {
      const cost = randomCosts(rows * columns, seed)
      const plan = transportPlan(cost, shares(rows, 'mu'), shares(columns, 'nu'))
      expectMarginals(plan, shares(rows, 'mu'), shares(columns, 'nu'))
      expectOptimal(cost, plan, rows, columns)
    }
  })

  it('should cope with amounts of very different sizes, zeros, ties and duplicated rows', () => {
    const n = 48
    const cost = Float32Array.from(
      { length: n * n },
      (_, k) => ((k * 7) % 5) + (k % n === 3 ? 1 : 0),
    )
    const supply = Float64Array.from({ length: n }, (_, i) => (i % 5 === 0 ? 0 : 10 ** -(i % 9)))
    const demand = Float64Array.from({ length: n }, (_, j) => supply[(j * 5) % n]!)
    const plan = transportPlan(cost, supply, demand)
    expectMarginals(plan, supply, demand)
    expectOptimal(cost, plan, n, n)
  })

  it('should scale the demand to the supply where float32 sums differ', () => {
    const plan = transportPlan(Float64Array.of(1, 2, 2, 1), [0.5, 0.5], [0.7, 0.300001])
    expect(plan[0]! + plan[1]!).toBeCloseTo(0.5, 12)
    expect(plan[2]! + plan[3]!).toBeCloseTo(0.5, 12)
  })

  it('should give an empty plan where there is nothing to send', () => {
    expect([...transportPlan(Float64Array.of(1, 2), [0], [0, 0])]).toEqual([0, 0])
  })

  it('should refuse negative amounts, unequal totals and costs that are not finite', () => {
    const cost = Float64Array.of(1, 2)
    expect(() => transportPlan(cost, [1], [-1, 2])).toThrow('demand 0 is -1')
    expect(() => transportPlan(cost, [NaN], [1, 2])).toThrow('supply 0 is NaN')
    expect(() => transportPlan(cost, [1], [1, 2])).toThrow('cannot meet')
    expect(() => transportPlan(Float64Array.of(1, NaN), [2], [1, 1])).toThrow(RangeError)
  })
})

// Helpers

function randomCosts(size: number, seed: string): Float64Array {
  const rng = createRng(seed)
  return Float64Array.from({ length: size }, () => rng.next())
}

function shares(count: number, seed: string): number[] {
  const draws = [...randomCosts(count, seed)].map((draw) => draw ** 3)
  const sum = draws.reduce((a, b) => a + b, 0)
  return draws.map((draw) => draw / sum)
}

function totalCost(cost: ArrayLike<number>, plan: Float64Array): number {
  return plan.reduce((sum, amount, at) => sum + amount * cost[at]!, 0)
}

function expectMarginals(
  plan: Float64Array,
  supply: ArrayLike<number>,
  demand: ArrayLike<number>,
): void {
  expect(plan).toHaveLength(supply.length * demand.length)
  expect(plan.every((amount) => amount >= 0)).toBe(true)
  const [rows, columns] = [new Float64Array(supply.length), new Float64Array(demand.length)]
  plan.forEach((amount, at) => {
    rows[Math.floor(at / demand.length)]! += amount
    columns[at % demand.length]! += amount
  })
  const total = rows.reduce((a, b) => a + b, 0)
  rows.forEach((sum, i) => expect(Math.abs(sum - supply[i]!)).toBeLessThanOrEqual(1e-13 * total))
  columns.forEach((sum, j) => expect(Math.abs(sum - demand[j]!)).toBeLessThanOrEqual(1e-13 * total))
}

/** The cheapest way, with each unit of supply as a row and each unit of demand as a column. */
function unitByUnit(
  cost: Float64Array,
  supply: readonly number[],
  demand: readonly number[],
): number {
  const rows = supply.flatMap((amount, i) => new Array<number>(amount).fill(i))
  const columns = demand.flatMap((amount, j) => new Array<number>(amount).fill(j))
  const units = Float64Array.from(
    rows.flatMap((i) => columns.map((j) => cost[i * demand.length + j]!)),
  )
  const matched = assign(units, { rows: rows.length, columns: columns.length })
  return matched.reduce((sum, j, i) => sum + units[i * columns.length + j]!, 0)
}

/**
 * No cycle of the residual graph is negative (Bellman-Ford from everywhere at once settles), which is when
 * such prices exist: Klein 1967.
 */
function expectOptimal(
  cost: ArrayLike<number>,
  plan: Float64Array,
  rows: number,
  columns: number,
): void {
  const [row, column] = [new Float64Array(rows), new Float64Array(columns)]
  for (let round = 0, moved = true; moved; round++) {
    moved = false
    expect(round, 'rounds until the prices settle').toBeLessThan(rows + columns)
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) {
        const at = i * columns + j
        if (row[i]! + cost[at]! < column[j]! - 1e-12) {
          column[j] = row[i]! + cost[at]!
          moved = true
        }
        if (plan[at]! > 0 && column[j]! - cost[at]! < row[i]! - 1e-12) {
          row[i] = column[j]! - cost[at]!
          moved = true
        }
      }
  }
}
