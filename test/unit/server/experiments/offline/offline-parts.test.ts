import { beforeAll, describe, expect, it } from 'vitest'
import type { OfflineGrid } from '../../../../../server/experiments/offline/offline-grid.ts'
import { offlineParts } from '../../../../../server/experiments/offline/offline-parts.ts'
import type { MethodResult } from '../../../../../shared/protocol/experiment-report.ts'
import { startTestEngine } from '../../../../support/engine.ts'

beforeAll(async () => {
  await startTestEngine()
})

const TINY: OfflineGrid = {
  datasets: ['mnist'],
  models: ['mlp:IN-24-OUT'],
  partitions: ['same'],
  parents: [2],
  seeds: [1],
  methods: ['nt', 'fedavg'],
  images: 400,
  training: { optimizer: 'adam', learningRate: 0.003, batchSize: 32, epochs: 3 },
  proxyImages: 50,
  tuning: {
    on: 'training images',
    ...{ optimizer: 'adam', batchSize: 32, learningRates: [0.003], epochs: [1, 3] },
  },
  testImages: 100,
}

describe('offlineParts', () => {
  it('should measure methods and controls, right after fusion and tuned, the same each time', async () => {
    const results = await resultsOf(TINY)
    expect([...results.keys()]).toEqual([
      ...['best parent', 'worst parent', 'ensemble', 'tuning images alone'],
      ...['nt', 'fedavg'],
    ])
    for (const method of ['best parent', 'nt', 'fedavg']) {
      const values = results.get(method)!
      for (const measure of ['right after fusion', '1 epoch', '3 epochs']) {
        expect(values[measure], `${method}, ${measure}`).toBeGreaterThan(0.1)
      }
    }
    expect(results.get('tuning images alone')!['3 epochs']).toBeGreaterThan(
      results.get('tuning images alone')!['1 epoch']!,
    )
    const again = await resultsOf(TINY)
    expect(withoutSeconds(again)).toEqual(withoutSeconds(results))
  })

  it('should make copies of one network where it is told to', async () => {
    const copies = await resultsOf({ ...TINY, partitions: ['copy'], methods: ['fedavg'] })
    const accuracy = copies.get('best parent')!['right after fusion']
    for (const method of ['worst parent', 'fedavg']) {
      expect(copies.get(method)!['right after fusion'], method).toBe(accuracy)
    }
    const same = await resultsOf({ ...TINY, methods: ['fedavg'] })
    expect(same.get('fedavg')!['right after fusion']).not.toBe(
      same.get('best parent')!['right after fusion'],
    )
  })

  it('should fuse parents of other widths, and say what refuses them', async () => {
    const parentModels = ['mlp:IN-16-OUT', 'mlp:IN-32-OUT']
    const [part] = offlineParts({ ...TINY, parentModels }, 'any')
    const { cases } = await part!.run(undefined, '')
    const byMethod = new Map(cases[0]!.results.map((result) => [result.method, result]))
    expect(byMethod.get('nt')!.values['3 epochs']).toBeGreaterThan(0.1)
    expect(byMethod.get('fedavg')).toMatchObject({ values: { 'right after fusion': null } })
    expect(byMethod.get('fedavg')!.note).toMatch(/\w/)
  })

  it('should name schedules by their rate where there are several', async () => {
    const tuning = { ...TINY.tuning, learningRates: [0.003, 0.0001], epochs: [1] }
    const results = await resultsOf({ ...TINY, methods: ['nt'], tuning })
    expect(results.get('nt')!['1 epoch at 0.003']).not.toBe(results.get('nt')!['1 epoch at 0.0001'])
  })
})

async function resultsOf(grid: OfflineGrid): Promise<Map<string, MethodResult['values']>> {
  const [part] = offlineParts(grid, 'any')
  const { cases } = await part!.run(undefined, '')
  return new Map(cases[0]!.results.map(({ method, values }) => [method, values]))
}

const withoutSeconds = (results: ReadonlyMap<string, MethodResult['values']>) =>
  [...results].map(([method, values]) => ({ method, ...values, 'seconds to fuse': undefined }))
