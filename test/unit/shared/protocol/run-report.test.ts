import { Ajv2020 } from 'ajv/dist/2020.js'
import { format } from 'prettier'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { RunReport } from '../../../../shared/protocol/run-report.ts'
import { roundReport, runReport } from '../../../support/run-report.ts'

const SCHEMA = z.toJSONSchema(RunReport)

describe('RunReport', () => {
  // Writes the schema anew: npx vitest run --project unit test/unit/shared/protocol/run-report.test.ts -u
  it('should have its JSON schema beside it, up to date', async () => {
    const text = await format(JSON.stringify(SCHEMA), { parser: 'json', printWidth: 100 })
    await expect(text).toMatchFileSnapshot('../../../../shared/protocol/run-report.schema.json')
  })

  it('should accept a whole report, by zod and by the JSON schema', () => {
    const report = runReport([
      roundReport(),
      roundReport({ round: 2, ledger: ledgerWith([0, 1, 1, 0.5]) as never }),
    ])
    expect(RunReport.parse(report)).toEqual(report)
    const isValid = new Ajv2020({ formats: { sha256_hex: true } }).compile(SCHEMA)
    expect(isValid(report), JSON.stringify(isValid.errors)).toBe(true)
  })

  it.each([
    ['an accuracy in percent', { fused: { accuracy: 93, loss: 1 } }],
    ['a loss that is not a number', { fused: { accuracy: 0.9, loss: NaN } }],
    ['a key that nobody reads', { surprise: 1 }],
    ['a neuron with a share of nothing', { ledger: ledgerWith([0, 1, 0, null]) }],
    ['a neuron without a score', { ledger: ledgerWith([0, 1, 1]) }],
    ['a candidate of another name', { published: { ...roundReport().published, candidate: 'x' } }],
  ])('should refuse %s', (_, wrong) => {
    const report = runReport([{ ...roundReport(), ...wrong } as never])
    expect(RunReport.safeParse(report).success).toBe(false)
  })

  it('should say what every number of a round is, and in which unit', () => {
    const rounds = SCHEMA.properties?.['rounds'] as Node
    expect(undescribed(rounds.items!, 'round')).toEqual([])
    // The walk itself sees a number without a description.
    expect(undescribed({ properties: { a: { type: 'number' } } }, 'x')).toEqual(['x.a'])
  })
})

// Helpers

function ledgerWith(contribution: readonly unknown[]) {
  return { parents: ['ada'], groups: [{ name: 'fc1', neurons: [[contribution], []] }] }
}

interface Node {
  type?: string
  description?: string
  items?: Node
  anyOf?: Node[]
  properties?: Record<string, Node>
}

/** Paths of the numbers that neither they nor the objects around them describe. */
function undescribed(node: Node, path: string): string[] {
  if (node.description !== undefined && node.type !== 'array') return []
  if (node.type === 'number' || node.type === 'integer') return [path]
  return [
    ...Object.entries(node.properties ?? {}).flatMap(([key, child]) =>
      undescribed(child, `${path}.${key}`),
    ),
    ...(node.anyOf ?? []).flatMap((child) => undescribed(child, path)),
    ...(node.items === undefined ? [] : undescribed(node.items, `${path}[]`)),
  ]
}
