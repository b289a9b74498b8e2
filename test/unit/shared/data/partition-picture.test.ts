import { stripVTControlCharacters } from 'node:util'
import pc from 'picocolors'
import { describe, expect, it } from 'vitest'
import { partitionPicture } from '../../../../shared/data/partition-picture.ts'

const plain = { columns: 80, colors: pc.createColors(false) }
const proxy = { name: 'proxy set', counts: [5, 5] }

describe('partitionPicture', () => {
  it('should give a few clients a line each, with their counts and a sum that sets no scale', () => {
    const clients = [
      { name: 'client 0', counts: [40, 0] },
      { name: 'client 1', counts: [10, 25] },
    ]
    expect(`\n${partitionPicture({ proxy, clients }, plain).join('\n')}`).toBe(`
2 clients of 35 to 40 examples, 1 to 2 of 2 classes each
              0   1 total
proxy set   ░ 5 ░ 5    10
client 0    █40 ·      40
client 1    ░10 ▓25    35
all clients █50 ▓25    75`)
  })

  it('should do without a proxy set that is not known', () => {
    const clients = crowd(60)
    const options = { ...plain, columns: 41 }
    const [first, ...rest] = partitionPicture({ proxy, clients }, options)
    const without = rest.filter((line) => !line.startsWith('proxy set'))
    expect(partitionPicture({ proxy: null, clients }, options)).toEqual([first, ...without])
  })

  it('should give many clients a column each, in blocks as wide as the terminal', () => {
    const clients = crowd(60)
    const lines = partitionPicture({ proxy, clients }, { ...plain, columns: 41 })
    expect(lines[0]).toBe('60 clients of 4 examples, 1 of 2 classes each')
    expect(lines[3]).toMatch(/^all clients .*120 .*120 +240$/u)
    expect(lines.slice(4)).toEqual([
      'Clients from left to right:',
      '        0         10        20',
      `class 0 ${'█·'.repeat(14)}█  60`,
      `class 1 ${'·█'.repeat(14)}·  56`,
      '        29        39        49',
      `class 0 ${'·█'.repeat(14)}·  56`,
      `class 1 ${'█·'.repeat(14)}█  60`,
      '        58',
      'class 0 █·   4',
      'class 1 ·█   4',
    ])
  })

  it('should let neighbours share a column where the map would be too long', () => {
    const lines = partitionPicture({ proxy, clients: crowd(2000) }, { ...plain, columns: 41 })
    expect(lines.length).toBeLessThan(75)
    expect(lines[4]).toMatch(/: a character is the mean of 4 clients side by side:$|mean of 4/)
    // Two of four have each class: the same everywhere.
    expect(lines[6]).toMatch(/^class 0 █{28} +224$/u)
    expect(lines.at(-3)).toMatch(/^ {8}\d+/)
  })

  it('should keep its columns in colour', () => {
    for (const clients of [crowd(3), crowd(60)]) {
      const coloured = partitionPicture(
        { proxy, clients },
        { ...plain, colors: pc.createColors(true), hasManyColors: true },
      )
      expect(coloured.join()).toContain('\u001b[48;5;226;38;5;16m')
      const widths = (lines: readonly string[]) =>
        lines.map((line) => stripVTControlCharacters(line).length)
      expect(widths(coloured)).toEqual(widths(partitionPicture({ proxy, clients }, plain)))
    }
  })
})

/** Clients with four examples of one of two classes, by turns. */
function crowd(size: number) {
  return Array.from({ length: size }, (_, i) => ({
    name: `client ${i}`,
    counts: i % 2 === 0 ? [4, 0] : [0, 4],
  }))
}
