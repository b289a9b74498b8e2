import { stripVTControlCharacters } from 'node:util'
import pc from 'picocolors'
import { describe, expect, it } from 'vitest'
import { classPicture } from '../../../../shared/data/picture.ts'

const plain = pc.createColors(false)

describe('classPicture', () => {
  it('should shade each count by its share of the largest and leave out zeros', () => {
    const rows = [
      { name: 'proxy set', counts: [100, 50, 0] },
      { name: 'client 0', counts: [1, 75, 26] },
    ]
    expect(`\n${classPicture(rows, { columns: 80, colors: plain }).join('\n')}`).toBe(`
             0    1    2 total
proxy set █100 ▒ 50 ·      150
client 0  ░  1 ▓ 75 ▒ 26   102`)
  })

  it('should leave out the counts where they do not fit', () => {
    const rows = [{ name: 'a', counts: Array.from({ length: 12 }, (_, c) => 10 * c) }]
    const lines = classPicture(rows, { columns: 40, colors: plain })
    expect(lines).toEqual(['  012345678901 total', 'a ·░░▒▒▒▓▓▓███   660'])
  })

  it('should count the rows that it does not show', () => {
    const rows = Array.from({ length: 50 }, (_, i) => ({ name: `client ${i}`, counts: [i] }))
    const lines = classPicture(rows, { columns: 80, colors: plain, maxRows: 10 })
    expect(lines).toHaveLength(12)
    expect(lines.at(-1)).toBe('... and 40 more')
  })

  it('should keep its columns in colour', () => {
    const rows = [{ name: 'a', counts: [3, 0, 1] }]
    const coloured = classPicture(rows, { columns: 80, colors: pc.createColors(true) })
    expect(coloured.join()).toContain('\u001b[36m')
    expect(coloured.map(stripVTControlCharacters)).toEqual(
      classPicture(rows, { columns: 80, colors: plain }),
    )
  })

  it('should survive no rows and empty rows', () => {
    expect(classPicture([], { columns: 80, colors: plain })).toHaveLength(1)
    expect(classPicture([{ name: 'a', counts: [0, 0] }], { columns: 80, colors: plain })[1]).toBe(
      'a ·  ·      0',
    )
  })
})
