import { stripVTControlCharacters } from 'node:util'
import pc from 'picocolors'
import { describe, expect, it } from 'vitest'
import { fuseTable } from '../../../../server/offline/fuse-table.ts'
import { fuseReport } from '../../../support/fuse-report.ts'

describe('fuseTable', () => {
  it('should show who was judged how, whether it was worth it, and whose neurons survive', () => {
    expect(`\n${fuseTable(fuseReport())}\n`).toMatchInlineSnapshot(`
      "
      ┌───┬───────────────────────────────────────┬──────────┬────────┐
      │   │ kf-linear                             │ accuracy │   loss │
      ├───┼───────────────────────────────────────┼──────────┼────────┤
      │   │ parent ada.safetensors (300 examples) │  50.00 % │ 2.5000 │
      │   │ parent bob.safetensors (200 examples) │  46.00 % │ 3.0000 │
      │   │ ensemble                              │  85.00 % │ 0.8000 │
      │   │ plain average                         │  30.00 % │ 2.0000 │
      │   │ plain average + fine-tuning           │  81.00 % │ 0.7000 │
      │   │ proxy set alone                       │  82.00 % │ 0.6000 │
      │   │ best parent (ada) + fine-tuning       │  78.00 % │ 0.7500 │
      │   │ fused                                 │  60.00 % │ 1.1000 │
      │ ● │ tuned (3 epochs)                      │  86.00 % │ 0.5000 │
      └───┴───────────────────────────────────────┴──────────┴────────┘
      fused 60.00 % does not beat ensemble 85.00 %, plain average + fine-tuning 81.00
        %, proxy set alone 82.00 %, best parent + fine-tuning 78.00 %
      tuned 86.00 % beats every control; the best of them: ensemble 85.00 %
      Whose neurons they are:
        fc1                    ██████████████████████████████▒▒▒▒▒▒▒▒▒▒ 2 neurons
        fc2                    ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒              3 neurons
        ██  38 %  ada.safetensors
        ▒▒  54 %  bob.safetensors
      fused in 1.3 s
      read 0.1 s, compare 0.4 s, tune 2.0 s, judge 3.0 s; seed 7, engine wasm, peak
        memory 500 MiB
      written to fused.safetensors
      "
    `)
  })

  it('should show an ensemble, which has no network', () => {
    const text = fuseTable(
      fuseReport({ fused: null, tuned: null, ledger: null, shares: null, out: null }),
    )
    expect(text).toContain('ensemble')
    expect(text).not.toMatch(/fused|tuned|neurons|written/)
  })

  it('should mark the fused network where nothing was tuned, and say when nothing helped', () => {
    expect(fuseTable(fuseReport({ tuned: null }))).toMatch(/● │ fused /)
    const tuned = { ...fuseReport().tuned!, epochs: 0, isTuned: false }
    expect(fuseTable(fuseReport({ tuned }))).toContain('tuned (no epoch helped: as fused)')
  })

  it('should say what was not known and not measured', () => {
    const controls = { average: null, averageTuned: null, proxyAlone: null, bestParentTuned: null }
    const text = fuseTable(fuseReport({ isCounted: false, controls, reason: 'It was the best.' }))
    expect(text).toMatch(/plain average +│ not measured/)
    expect(text).toMatch(/all parents count alike/)
    expect(text).not.toContain('300 examples')
    expect(text).toContain('It was the best.')
    expect(fuseTable(fuseReport({ test: null }))).toMatch(/^Whose neurons[^]*--test NAME/)
  })

  it('should keep to 80 columns, with long names and many groups', () => {
    const long = `/a/very/long/path/${'x'.repeat(60)}.safetensors`
    const { ledger, parents } = fuseReport()
    const groups = Array.from({ length: 30 }, (_, i) => ({
      name: `layer${i}.0.downsample.0.convolution`,
      neurons: ledger!.groups[0]!.neurons,
    }))
    const text = fuseTable(
      fuseReport({
        parents: parents.map((parent) => ({ ...parent, file: long })),
        ledger: { parents: ['a', 'b'], groups },
      }),
    )
    expect(text).toContain('... 14 more')
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
  })

  it('should say the same with colours', () => {
    const coloured = fuseTable(fuseReport(), pc.createColors(true))
    expect(stripVTControlCharacters(coloured)).toBe(fuseTable(fuseReport()))
    expect(coloured).not.toBe(fuseTable(fuseReport()))
  })
})
