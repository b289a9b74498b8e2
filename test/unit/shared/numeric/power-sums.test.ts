import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addColumnSquares, addPowers, type Power } from '../../../../shared/numeric/power-sums.ts'

describe('addColumnSquares', () => {
  it('should add the squares of each column to its sum', () => {
    const sums = Float64Array.of(100, 0)
    addColumnSquares(sums, Float32Array.of(1, 2, 3, 4, 5, 6))
    expect([...sums]).toEqual([100 + 1 + 9 + 25, 4 + 16 + 36])
  })

  it('should leave the sums as they are when there is no row', () => {
    const sums = Float64Array.of(1, 2)
    addColumnSquares(sums, new Float32Array(0))
    expect([...sums]).toEqual([1, 2])
  })

  // The memory of the kernels has 64 KiB: these take a part of it, many blocks, and more than it for one row.
  it.each([
    [7, 3],
    [784, 256],
    [1001, 33],
    [6, 9001],
  ])('should give for %i rows of %i the bits of a plain loop', (rows, columns) => {
    const values = numbers(rows * columns)
    const sums = new Float64Array(columns).fill(0.1)
    const wanted = sums.slice()
    values.forEach((value, i) => (wanted[i % columns]! += value * value))
    addColumnSquares(sums, values)
    expect(sums).toEqual(wanted)
  })
})

describe('addPowers', () => {
  it('should add powers of scaled rows and columns to their sums', () => {
    const data = Float32Array.of(1, 9, -2, 9, 9, 9, 3, 9, 4)
    const sums = { rows: Float64Array.of(0, 1000), columns: Float64Array.of(0, 100) }
    const rows = { data, starts: Int32Array.of(0, 6), at: Int32Array.of(0, 2) }
    addPowers(rows, 'magnitudes', Float64Array.of(1, 10), sums)
    expect([...sums.rows]).toEqual([1 + 20, 1000 + 3 + 40])
    expect([...sums.columns]).toEqual([1 + 3, 100 + 20 + 40])
  })

  it.each<[Power, number, number]>([
    ['squares', 300, 40],
    ['magnitudes', 300, 40],
    ['squares', 5, 12_000],
  ])('should give for %s of %i rows of %i the bits of a plain loop', (power, rows, columns) => {
    const data = numbers(rows * columns)
    // Neighbours, and rows and columns with others between them.
    const starts = Int32Array.from({ length: rows }, (_, i) => i * columns).filter((_, i) => i % 3)
    const at = Int32Array.from({ length: columns }, (_, j) => j).filter((j) => j % 5 !== 2)
    expectLikePlain({ data, starts, at }, power)
  })

  it('should give the bits of a plain loop for any rows and columns', () => {
    const ascending = fc.uniqueArray(fc.nat(60), { minLength: 0, maxLength: 12 })
    fc.assert(
      fc.property(
        ascending,
        ascending,
        fc.constantFrom('squares', 'magnitudes'),
        (rows, columns, power) => {
          const [starts, at] = [rows, columns].map((of) => Int32Array.from(of).sort())
          expectLikePlain({ data: numbers(121), starts: starts!, at: at! }, power)
        },
      ),
    )
  })
})

function expectLikePlain(
  { data, starts, at }: Parameters<typeof addPowers>[0],
  power: Power,
): void {
  const scales = Float64Array.from(at, (_, j) => 1 / (j + 1))
  const sums = {
    rows: new Float64Array(starts.length).fill(0.1),
    columns: new Float64Array(at.length).fill(0.2),
  }
  const wanted = { rows: sums.rows.slice(), columns: sums.columns.slice() }
  starts.forEach((start, i) => {
    let sum = 0
    at.forEach((place, j) => {
      const value = data[start + place]! * scales[j]!
      const raised = power === 'squares' ? value * value : Math.abs(value)
      sum += raised
      wanted.columns[j]! += raised
    })
    wanted.rows[i]! += sum
  })
  addPowers({ data, starts, at }, power, scales, sums)
  expect(sums).toEqual(wanted)
}

/** From -1 to 1, without a period that rows could share. */
const numbers = (length: number) => Float32Array.from({ length }, (_, i) => Math.sin(i * i + 1))
