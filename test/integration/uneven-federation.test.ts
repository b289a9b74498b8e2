import { beforeAll, describe, expect, it } from 'vitest'
import { RoundReport } from '../../shared/protocol/run-report.ts'
import type { RunSettings } from '../../shared/protocol/run-settings.ts'
import { blobs } from '../support/blob-task.ts'
import { startTestEngine } from '../support/engine.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'
import { startFederation } from '../support/test-federation.ts'
import { TOY_DATASET, TOY_SETTINGS, TOY_WIDTHS } from '../support/toy-run.ts'

const CLASSES = [0, 1, 2, 3]

beforeAll(async () => {
  await startTestEngine()
})

describe('a federation in which some have little', () => {
  it.each(['nt', 'kf-linear'])(
    'should learn classes that no client has from the proxy set: %s',
    async (strategy) => {
      const report = await roundOf({ strategy, partition: 'labels:1' })
      const missing = missingIn(report)
      expect(missing).toHaveLength(2)
      for (const { classCounts, classAccuracy } of report.parents) {
        expect(classCounts!.filter((count) => count > 0)).toHaveLength(1)
        expect(missing.map((label) => classAccuracy![label])).toEqual([0, 0])
      }
      for (const label of CLASSES) {
        expect(report.tuned.classAccuracy![label]).toBeGreaterThan(0.5)
        expect(report.published.classAccuracy![label]).toBeGreaterThan(0.5)
      }
      expect(report.published).toMatchObject({ candidate: 'tuned', isNew: true })
      expectLedger(report, ['client-0', 'client-1'])
    },
  )

  it('should let clients learn them, too, when they rehearse and adjust their logits', async () => {
    const training = { ...TOY_SETTINGS.training, epochs: 20, logitAdjustment: true } as const
    const report = await roundOf({ partition: 'labels:1', rehearse: true, training })
    const missing = missingIn(report)
    for (const { classCounts, classAccuracy } of report.parents) {
      expect(missing.map((label) => classCounts![label])).toEqual([0, 0])
      for (const label of missing) expect(classAccuracy![label]).toBeGreaterThan(0.5)
    }
  })

  it('should report on a class that the test split has alone', async () => {
    const dataset = { ...TOY_DATASET, train: blobs('three classes', 240, [0, 1, 2]) }
    const report = await roundOf({ partition: 'iid' }, dataset)
    expect(missingIn(report)).toEqual([3])
    const { published, parents, controls } = report
    for (const score of [published, ...parents, controls.ensemble!, controls.proxyAlone!]) {
      expect(score.classAccuracy![3]).toBe(0)
      for (const label of [0, 1, 2]) expect(score.classAccuracy![label]).toBeGreaterThan(0.5)
      // A quarter of the test split is of that class.
      const others = score.classAccuracy!.slice(0, 3) as number[]
      expect(score.accuracy).toBeCloseTo(others.reduce((a, b) => a + b, 0) / 4, 9)
    }
  })

  it('should fuse a client that has one example', async () => {
    const report = await roundOf({ strategy: 'kf-linear', partition: 'quantity:0.0001' })
    const sizes = report.parents.map(({ numExamples }) => numExamples)
    expect(sizes.toSorted((a, b) => a - b)).toEqual([1, 159])
    expect(report.evaluations).toHaveLength(2)
    expectLedger(report, ['client-0', 'client-1'])
  })
})

describe('a federation of one client', () => {
  it.each(['nt', 'auto'])(
    'should hand its network on, tune and publish it: %s',
    async (strategy) => {
      const report = await roundOf({ strategy, clients: 1, quorum: 1, partition: 'iid' })
      expect(report).toMatchObject({ cohort: 1, uploads: 1 })
      const { parents, fused, controls, published, ledgerSummary } = report
      expect(parents.map(({ client, numExamples }) => [client, numExamples])).toEqual([
        ['client-0', 160],
      ])
      expect(missingIn(report)).toEqual([])
      const { accuracy, loss, classAccuracy } = parents[0]!
      for (const same of [fused, controls.average!]) {
        expect(same).toMatchObject({ accuracy, loss, classAccuracy })
      }
      expect(controls.ensemble!.classAccuracy).toEqual(classAccuracy)
      expect(fused.reason).toBe('There is one parent, and it comes out as it went in.')
      expect(report.diversity).toBeUndefined()
      expect(published.classAccuracy!.every((share) => share! > 0.5)).toBe(true)
      expectLedger(report, ['client-0'])
      expect(ledgerSummary!.groups.map(({ shares }) => shares)).toEqual([[1]])
      expect(report.evaluations!.map(({ client }) => client)).toEqual(['client-0'])
    },
  )
})

// Helpers

/** The report of a run of one round, to its end. */
async function roundOf(changes: Partial<RunSettings>, dataset = TOY_DATASET): Promise<RoundReport> {
  const settings = {
    training: { ...TOY_SETTINGS.training, epochs: 20 },
    tune: { ...TOY_SETTINGS.tune, mode: 'both', epochs: 60 },
    scorer: 'conductance',
    ...changes,
  } as const
  await using folder = await createTemporaryFolder()
  await using federation = await startFederation({ home: folder.path, settings, dataset })
  const nodes = Array.from({ length: settings.clients ?? 2 }, (_, index) => federation.node(index))
  const [summaries, [report]] = await Promise.all([Promise.all(nodes), federation.reports])
  for (const { accepted } of summaries) expect(accepted).toHaveLength(1)
  expect(await federation.store.unfinishedRun()).toBeNull()
  // Every number in it is one.
  return RoundReport.parse(report)
}

/** Classes of which no client has an example. */
function missingIn({ parents }: RoundReport): number[] {
  return CLASSES.filter((label) => parents.every(({ classCounts }) => classCounts![label] === 0))
}

/** Neurons of the published model, each of which these clients share; the smallest shares are left out. */
function expectLedger({ ledger }: RoundReport, clients: readonly string[]): void {
  expect(ledger!.parents).toEqual(clients)
  for (const [g, { neurons }] of ledger!.groups.entries()) {
    expect(neurons).toHaveLength(TOY_WIDTHS[g]!)
    for (const contributions of neurons) {
      expect(contributions.length).toBeGreaterThan(0)
      expect(contributions.reduce((sum, [, , share]) => sum + share, 0)).toBeCloseTo(1, 4)
    }
  }
}
