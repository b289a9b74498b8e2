import { dirichlet, normal } from '../../shared/numeric/random.ts'
import { createRng, type Rng } from '../../shared/numeric/rng.ts'
import type { DiversityReport } from '../../shared/protocol/diversity-report.ts'
import { type RoundReport, RunReport } from '../../shared/protocol/run-report.ts'
import { roundReport, runReport } from './run-report.ts'

export interface StudyShape {
  readonly strategies: readonly string[]
  readonly seeds: readonly number[]
  readonly clients: number
  readonly rounds: number
  readonly classes?: number
}

/** Reports that look like those of a study, of made-up numbers: the same for the same shape. */
export function studyRuns(shape: StudyShape): RunReport[] {
  return shape.seeds.flatMap((seed) =>
    shape.strategies.map((strategy) => {
      const rng = createRng(`${seed}/${strategy}`)
      const counts = classCountsOf(shape, seed)
      const rounds = Array.from({ length: shape.rounds }, (_, i) =>
        roundOf(shape, i + 1, { counts, rng: rng.split(String(i)) }),
      )
      const { accuracy, loss, modelSha256 } = rounds.at(-1)!.published
      const run = { ...runReport(rounds), seed, strategy, clients: shape.clients }
      return RunReport.parse({
        ...run,
        environment: { engineVersion: '4.22.0', node: '20.19.0', platform: 'linux x64' },
        final: { accuracy, loss, modelSha256 },
      })
    }),
  )
}

// Helpers

interface Made {
  /** [client][class] */
  readonly counts: readonly number[][]
  readonly rng: Rng
}

function roundOf(shape: StudyShape, round: number, { counts, rng }: Made): RoundReport {
  const { clients, classes = 10 } = shape
  const ids = Array.from({ length: clients }, (_, i) => `client-${i}`)
  const level = 0.95 - 0.3 / round
  const around = (accuracy: number) => {
    const classAccuracy = Array.from({ length: classes }, () =>
      clamp(accuracy + 0.05 * normal(rng)),
    )
    const mean = classAccuracy.reduce((sum, share) => sum + share, 0) / classes
    return { accuracy: mean, loss: 2 * (1 - mean), classAccuracy }
  }
  const parents = ids.map((client, i) => ({
    client,
    ...around(0.5),
    classAccuracy: counts[i]!.map((count) => clamp(count > 0 ? 0.9 : 0.1 * rng.next())),
    numExamples: counts[i]!.reduce((a, b) => a + b, 0),
    classCounts: counts[i]!,
  }))
  const shares = dirichlet(new Float64Array(clients).fill(2), rng)
  return roundReport({
    ...({ round, cohort: clients, uploads: clients, parents } as object),
    round,
    controls: {
      ensemble: around(level + 0.01),
      average: around(level - 0.05),
      averageTuned: around(level - 0.02),
      proxyAlone: around(0.7),
      bestParentTuned: { ...around(level - 0.03), parent: ids[0]! as never },
    },
    fused: around(level - 0.1),
    tuned: { ...around(level), epochs: 12, isTuned: true },
    published: { ...roundReport().published, ...around(level) },
    diversity: diversityOf(ids.slice(0, 8), rng),
    ledgerSummary: {
      parents: ids,
      groups: ['dense1', 'dense2', 'dense3'].map((name) => ({
        name,
        neurons: 128,
        shares: [...shares],
      })),
    },
    bytes: { up: clients * 400_000, down: clients * 400_000 },
  })
}

function classCountsOf({ clients, classes = 10 }: StudyShape, seed: number): number[][] {
  const rng = createRng(`partition/${seed}`)
  const dealt = Array.from({ length: classes }, () =>
    dirichlet(new Float64Array(clients).fill(0.3), rng),
  )
  return Array.from({ length: clients }, (_, client) =>
    dealt.map((shares, label) => Math.round(shares[client]! * 6000) + (label === 0 ? 1 : 0)),
  )
}

function diversityOf(parents: readonly string[], rng: Rng): DiversityReport {
  return {
    parents: [...parents],
    levels: ['dense1', 'dense2'],
    pairs: parents.flatMap((a, i) =>
      parents.slice(i + 1).map((b) => ({
        parents: [a, b] as [string, string],
        weightDistance: 0.2 + 0.1 * rng.next(),
        disagreement: 0.1 + 0.5 * rng.next(),
        cka: [0.9, 0.5 + 0.4 * rng.next()],
      })),
    ),
    forecast: { probability: 0.4, isDiverseEnough: false },
  }
}

const clamp = (share: number): number => Math.min(1, Math.max(0, share))
