import { describe, expect, it } from 'vitest'
import { DARK, LIGHT } from '../../../../shared/charts/chart-style.ts'
import { heatMap } from '../../../../shared/charts/heat-map.ts'
import { shortLabels, spreadOut } from '../../../../shared/charts/labels.ts'
import { lineChart } from '../../../../shared/charts/line-chart.ts'
import { html } from '../../../../shared/charts/markup.ts'
import { niceDomain, ticks } from '../../../../shared/charts/scale.ts'

describe('html', () => {
  it('should escape text, keep markup and leave nothing out of null', () => {
    expect(html`<p title="${'"a" & <b>'}">${['<i>', html`<b>${1 / 3}</b>`, null]}</p>`.text).toBe(
      '<p title="&quot;a&quot; &amp; &lt;b&gt;">&lt;i&gt;<b>0.33</b></p>',
    )
  })

  it.each([NaN, Infinity])('should not draw %d', (value) => {
    expect(() => html`${value}`).toThrow(RangeError)
  })
})

describe('an axis', () => {
  it('should have round marks inside of its domain', () => {
    expect(ticks([0.7, 0.95], 5)).toEqual([0.7, 0.75, 0.8, 0.85, 0.9, 0.95])
    expect(ticks([1, 3], 6, 1)).toEqual([1, 2, 3])
    expect(ticks([-0.02, 0.01], 3)).toEqual([-0.02, -0.01, 0, 0.01].map((x) => x + 0))
  })

  it('should have room for every value, alike ones too, and keep to its bounds', () => {
    for (const values of [[0.5], [0, 0], [0.2, 0.9], [1, 1]]) {
      const [low, high] = niceDomain(values, [0, 1])
      expect(low).toBeLessThan(high)
      expect(Math.min(...values)).toBeGreaterThanOrEqual(low)
      expect(Math.max(...values)).toBeLessThanOrEqual(high)
      expect(low >= 0 && high <= 1).toBe(true)
    }
  })
})

describe('labels', () => {
  it('should stay different when they are cut', () => {
    const long = ['nt:importance=attribution', 'nt:importance=l2:distribution', 'nt']
    const cut = shortLabels([...long, 'a'.repeat(40), `${'a'.repeat(20)}b${'a'.repeat(19)}`], 14)
    expect(new Set(cut).size).toBe(5)
    expect(cut.every((label) => label.length <= 14)).toBe(true)
    expect(cut[2]).toBe('nt')
  })

  it('should not cover each other', () => {
    const places = spreadOut([50, 51, 10, 99], 10, [0, 100])
    const sorted = places.toSorted((a, b) => a - b)
    for (const [i, place] of sorted.slice(1).entries())
      expect(place - sorted[i]!).toBeGreaterThanOrEqual(10)
    expect(sorted[0]).toBeGreaterThanOrEqual(0)
    expect(sorted.at(-1)).toBeLessThanOrEqual(100)
    expect(places[2]).toBe(10)
  })
})

describe('charts', () => {
  it('should draw a line of one point, and name it', () => {
    const chart = lineChart({
      ...CAPTION,
      series: [{ label: 'nt', style: 9, points: [{ x: 1, y: 0.5, band: [0.4, 0.6] }] }],
      xLabel: 'round',
      yLabel: 'accuracy',
      format: String,
    }).text
    expect(chart).toMatch(/<title> ?nt, 1: 0\.5 ?<\/title>/)
    expect(chart).toContain('aria-labelledby="x-t x-d"')
  })

  it('should colour every cell, one by one or many at once', () => {
    const map = (rows: number) =>
      heatMap({
        ...CAPTION,
        rows: Array.from({ length: rows }, (_, i) => `row ${i}`),
        columns: ['a', 'b'],
        values: Array.from({ length: rows }, () => [0, 1]),
        domain: [0, 1],
        format: String,
        end: String,
        cell: String,
        rowLabel: 'r',
        columnLabel: 'c',
      }).text
    expect(map(2).match(/<title>row/g)).toHaveLength(4)
    // One shape for all cells of a colour.
    expect(map(400).match(/v4h-/g)).toHaveLength(800)
    expect(map(400)).not.toContain('<title>row')
  })
})

describe.each([
  ['light', LIGHT],
  ['dark', DARK],
])('the %s palette', (_, palette) => {
  // WCAG 2.2, success criteria 1.4.3 and 1.4.11.
  it('should be legible', () => {
    const { background, series, heat, onHeat, onSeries, text, muted } = palette
    for (const colour of [text, muted]) expect(contrast(colour, background)).toBeGreaterThan(4.5)
    for (const colour of series) {
      expect(contrast(colour, background)).toBeGreaterThan(3)
      expect(contrast(colour, onSeries), colour).toBeGreaterThan(4.5)
    }
    for (const [i, colour] of heat.entries())
      expect(contrast(colour, onHeat[i]!), colour).toBeGreaterThan(4.5)
  })
})

// Helpers

const CAPTION = { id: 'x', title: 'A chart', description: 'What is in it' }

/** WCAG 2.2: (L1 + 0.05) / (L2 + 0.05) of the relative luminances. */
function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const value = parseInt(colour.slice(at, at + 2), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
