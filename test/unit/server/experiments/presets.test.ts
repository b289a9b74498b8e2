import { describe, expect, it } from 'vitest'
import { planPreset } from '../../../../server/experiments/plan-preset.ts'
import { PRESETS } from '../../../../server/experiments/presets.ts'
import { CONTROLS } from '../../../../server/experiments/offline/offline-grid.ts'
import {
  FEDERATION_CONTROLS,
  rehearsed,
  struckBy,
} from '../../../../server/experiments/federation/federation-grid.ts'

const OPTIONS = {
  isQuick: false,
  datasets: undefined,
  seeds: undefined,
  methods: undefined,
  engine: 'auto',
}

describe('PRESETS', () => {
  it('should have names and claims that are unique', () => {
    const names = PRESETS.map(({ name }) => name)
    const ids = PRESETS.flatMap(({ claims }) => claims.map(({ id }) => id))
    expect(new Set(names).size).toBe(names.length)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it.each(PRESETS.flatMap((preset) => [true, false].map((isQuick) => ({ preset, isQuick }))))(
    'should be of data sets, models and methods that exist: $preset.name, quick $isQuick',
    ({ preset, isQuick }) => {
      const plan = planPreset(preset, { ...OPTIONS, isQuick })
      const keys = plan.parts.map(({ key }) => key)
      expect(new Set(keys).size).toBe(keys.length)
      expect(plan.subsets.length).toBeGreaterThan(0)
    },
  )

  it.each(PRESETS)('should decide claims by what its full grid measures: $name', (preset) => {
    const { measures, claims } = planPreset(preset, OPTIONS)
    const { methods } = preset.full
    const known: readonly string[] =
      preset.kind === 'offline'
        ? [...methods, ...Object.values(CONTROLS)]
        : preset.full.rehearse.flatMap((isRehearsed) =>
            [...methods, ...Object.values(FEDERATION_CONTROLS)].flatMap((method) => {
              const name = rehearsed(method, isRehearsed)
              const struck = (preset.full.faults ?? []).map((faults) => struckBy(name, faults.name))
              return [name, ...struck]
            }),
          )
    const terms = claims.flatMap(({ comparisons }) =>
      comparisons.flatMap(({ left, right }) => [left, right]),
    )
    const names = measures.map(({ name }) => name)
    expect(terms.filter(({ measure }) => !names.includes(measure))).toEqual([])
    expect(terms.flatMap(({ method }) => method).filter((name) => !known.includes(name))).toEqual(
      [],
    )
  })
})

describe('planPreset', () => {
  it('should put what was given in place of its own, and say the command', () => {
    const given = { isQuick: true, datasets: ['mnist'], seeds: [7], methods: ['nt'] }
    const plan = planPreset(PRESETS[0]!, { ...OPTIONS, ...given })
    expect(plan.grid).toMatchObject({ datasets: ['mnist'], seeds: [7], methods: ['nt'] })
    expect(plan.command).toBe(
      'graft experiment nt-pairs --quick --dataset mnist --seeds 7 --methods nt',
    )
  })

  it('should take partitions and kinds of rehearsal of a federation', () => {
    const oneShot = PRESETS.find(({ name }) => name === 'one-shot')!
    const given = { partitions: ['labels:2'], rehearse: ['adjusted'] } as const
    const plan = planPreset(oneShot, { ...OPTIONS, ...given })
    expect(plan.grid).toMatchObject(given)
    expect(plan.command).toBe('graft experiment one-shot --partition labels:2 --rehearse adjusted')
  })

  it.each([
    [{ datasets: ['mnits'] }, 'GRAFT_DATASET_UNKNOWN'],
    [{ partitions: ['labels'] }, 'GRAFT_OPTION_INVALID'],
    [{ methods: ['fedmagic'] }, 'GRAFT_STRATEGY_UNKNOWN'],
    [{ seeds: [1, 1] }, 'GRAFT_OPTION_INVALID'],
    [{ methods: [] }, 'GRAFT_OPTION_INVALID'],
  ])('should refuse %o before anything is trained', (given, code) => {
    expect(() => planPreset(PRESETS[0]!, { ...OPTIONS, ...given })).toThrow(
      expect.objectContaining({ code }),
    )
  })
})
