import { Ajv2020 } from 'ajv/dist/2020.js'
import { format } from 'prettier'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ForecastReport } from '../../../../shared/protocol/forecast-report.ts'
import { FusionTableReport } from '../../../../shared/protocol/fusion-table-report.ts'
import { NetworksReport } from '../../../../shared/protocol/networks-report.ts'

const RUN = { version: '0.1.0', engine: 'wasm', settings: { seeds: [1], model: 'lenet' } }
const CONTROLS = { bestParent: 0.9, ensemble: 0.95, proxyAlone: 0.8 }
const TUNED = { bestParentTuned: 0.92, bestParentDistilled: 0.93 }
const CASE = {
  ...{ dataset: 'mnist', parents: 2, seed: 1, worstParent: 0.7, ...CONTROLS, ...TUNED },
  methods: [{ method: 'hf-linear', zeroShot: null, tuned: null, seconds: null, refused: 'Two.' }],
}
const RELIABILITY = {
  ...{ pairs: 4, baseRate: 0.5, accuracy: 1, majority: 0.5 },
  ...{ auc: null, brier: 0.2 },
}

/** One of each kind, and what is wrong with others. */
const REPORTS = {
  'fusion-table-report': {
    schema: FusionTableReport,
    good: {
      ...RUN,
      cases: [CASE],
      summary: [
        {
          ...{ dataset: 'mnist', parents: 2, seeds: 1, ...CONTROLS, ...TUNED },
          methods: [{ method: 'nt', zeroShot: 0.9, tuned: 0.95 }],
        },
      ],
    },
    wrong: [{ cases: [{ ...CASE, ensemble: 95 }] }, { summary: [CASE] }, { surprise: 1 }],
  },
  'networks-report': {
    schema: NetworksReport,
    good: {
      ...RUN,
      cases: [
        {
          ...{ model: 'lenet', parameters: 44_426, parents: [0.5, 0.6], ensemble: 0.7 },
          ...{ proxyAlone: 0.4, bestParentTuned: 0.6, trainingSeconds: 2.5 },
          methods: [{ method: 'nt', fused: 0.6, tuned: 0.7, seconds: 0.1 }],
        },
      ],
    },
    wrong: [{ cases: [{ model: 'lenet' }] }, { engine: 1 }, { surprise: 1 }],
  },
  'forecast-report': {
    schema: ForecastReport,
    good: {
      ...RUN,
      pairs: [
        {
          ...{ dataset: 'mnist', seed: 1, kind: 'copy', parents: [0.9, 0.9] },
          ...{ weightDistance: 0, disagreement: 0, cka: [1, null] },
          ...{ fused: 0.8, tuned: 0.85, bestParentTuned: 0.9 },
        },
      ],
      report: {
        ...{ shipped: RELIABILITY, otherDataset: null, otherSeed: RELIABILITY },
        fitted: { intercept: 1, weights: [0.5, -2] },
        copies: { pairs: 1, failed: 1, foreseen: 0 },
      },
    },
    wrong: [{ pairs: [{ kind: 'copy' }] }, { report: { shipped: RELIABILITY } }, { surprise: 1 }],
  },
}
const KINDS = Object.keys(REPORTS) as (keyof typeof REPORTS)[]

describe.each(KINDS)('%s', (kind) => {
  const { schema, good, wrong } = REPORTS[kind]
  const json = z.toJSONSchema(schema)
  const isValid = new Ajv2020().compile(json)

  // Writes the schemas anew: npx vitest run --project unit test/unit/shared/protocol/table-reports.test.ts -u
  it('should have its JSON schema beside it, up to date', async () => {
    const text = await format(JSON.stringify(json), { parser: 'json', printWidth: 100 })
    await expect(text).toMatchFileSnapshot(`../../../../shared/protocol/${kind}.schema.json`)
  })

  it('should accept what is right, and nothing else, by zod and by the JSON schema', () => {
    expect(schema.parse(good)).toEqual(good)
    expect(isValid(good), JSON.stringify(isValid.errors)).toBe(true)
    for (const change of wrong) {
      const report = { ...good, ...change }
      expect(schema.safeParse(report).success, JSON.stringify(change)).toBe(false)
      expect(isValid(report), JSON.stringify(change)).toBe(false)
    }
  })
})
