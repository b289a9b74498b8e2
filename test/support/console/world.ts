import { createHash } from 'node:crypto'
import { dirichlet, normal } from '../../../shared/numeric/random.ts'
import { createRng, type Rng } from '../../../shared/numeric/rng.ts'
import type { BlobId, ClientId, RoundNumber, RunId } from '../../../shared/ids.ts'
import type { DiversityReport } from '../../../shared/protocol/diversity-report.ts'
import type { LedgerReport } from '../../../shared/protocol/ledger.ts'
import type { RoundSummary, RunResource } from '../../../shared/protocol/operator/resources.ts'
import type { RoundReport, Score } from '../../../shared/protocol/run-report.ts'
import type { RunSettings } from '../../../shared/protocol/run-settings.ts'

/** What a made-up federation is like. */
export interface WorldShape {
  readonly clients: number
  /** Rounds that are over in the newest run. */
  readonly rounds: number
  readonly seed?: string
}

/** A federation of made-up numbers, the same for the same shape. */
export interface World {
  readonly shape: WorldShape
  readonly clientIds: readonly ClientId[]
  readonly run: RunResource
  readonly runs: readonly RunResource[]
  readonly classCounts: ReadonlyMap<string, readonly number[]>
  readonly summaries: readonly RoundSummary[]
  reportOf(round: number): RoundReport | null
  ledgerOf(round: number): LedgerReport | null
}

export const CLASSES = 10
const LEVELS = [
  ['conv2d', 32],
  ['conv2d_1', 64],
  ['dense', 256],
  ['dense_1', 128],
] as const
const NOW = Date.parse('2026-11-28T14:00:00Z')

export const hexOf = (text: string) => createHash('sha256').update(text).digest('hex') as BlobId
export const uuidOf = (text: string) => {
  const hex = hexOf(text)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

const SITES = [
  'basel',
  'cadiz',
  'delft',
  'espoo',
  'ghent',
  'izmir',
  'kyoto',
  'leeds',
  'lund',
  'nice',
]

export function createWorld(shape: WorldShape): World {
  const rng = createRng(shape.seed ?? 'console')
  const clientIds = Array.from(
    { length: shape.clients },
    (_, i) =>
      (shape.clients <= SITES.length
        ? `clinic-${SITES[i]!}`
        : `${SITES[i % SITES.length]!}-${String(Math.floor(i / SITES.length) + 1).padStart(2, '0')}`) as ClientId,
  ).sort()
  const classCounts = dealClasses(clientIds, rng.split('classes'))
  const settings = settingsOf(shape)
  const runId = uuidOf('run 4') as RunId
  const reports = new Map<number, RoundReport>()
  const reportOf = (round: number) => {
    if (round < 1 || round > shape.rounds || clientIds.length === 0) return null
    const report =
      reports.get(round) ??
      roundReportOf({ round, clientIds, classCounts, rng: rng.split(`r${round}`) })
    reports.set(round, report)
    return report
  }
  const summaries = Array.from({ length: clientIds.length === 0 ? 0 : shape.rounds }, (_, i) =>
    summaryOf(reportOf(i + 1)!),
  )
  const last = summaries.at(-1)
  const run: RunResource = {
    id: runId,
    number: 4,
    status: clientIds.length === 0 ? 'queued' : 'running',
    failure: null,
    settings,
    createdAt: iso(-3_600_000 * 5),
    rounds: summaries.length,
    accuracy: last?.published.accuracy ?? null,
    modelSha256: last?.published.modelSha256 ?? null,
  }
  const older = (['finished', 'failed', 'stopped'] as const).map((status, i): RunResource => ({
    ...run,
    id: uuidOf(`run ${3 - i}`) as RunId,
    number: 3 - i,
    status,
    failure:
      status === 'failed'
        ? {
            code: 'GRAFT_RUN_FAILED',
            problem: 'None of 10 rounds published a model.',
            remedy:
              'Its rounds say why, in the console and in the coordinator’s messages; run it again when that is mended.',
          }
        : null,
    settings: {
      ...settings,
      strategy: ['kf-linear', 'fedavg', 'nt:tree=joint'][i]!,
      rounds: 10,
      seed: i,
    },
    createdAt: iso(-86_400_000 * (i + 1)),
    rounds: status === 'finished' ? 10 : 3,
    accuracy: status === 'failed' ? null : 0.912 - 0.02 * i,
    modelSha256: status === 'failed' ? null : hexOf(`older ${i}`),
  }))
  return {
    shape,
    clientIds,
    run,
    runs: shape.rounds === 0 && shape.clients === 0 ? [] : [run, ...older],
    classCounts,
    summaries,
    reportOf,
    ledgerOf: (round) =>
      reportOf(round) === null ? null : ledgerOf(clientIds, rng.split(`ledger ${round}`)),
  }
}

export const iso = (offsetMs: number, base = NOW) => new Date(base + offsetMs).toISOString()

function settingsOf({ clients, rounds }: WorldShape): RunSettings {
  const cohort = Math.max(1, clients)
  return {
    seed: 7,
    dataset: 'fashion-mnist',
    model: 'lenet',
    initialModel: null,
    partition: 'dirichlet:0.3',
    examplesPerClient: null,
    clients: cohort,
    rounds: rounds < 20 ? 20 : rounds + 100,
    strategy: 'kf-linear',
    proxy: 2000,
    rehearse: true,
    scorer: 'conductance',
    training: { epochs: 2, batchSize: 64, optimizer: 'adam', learningRate: 0.001 },
    tune: { mode: 'both', epochs: 30, learningRate: 0.001, batchSize: 64 },
    quorum: Math.max(1, Math.ceil(cohort * 0.6)),
    deadlineSeconds: 300,
  }
}

function dealClasses(clients: readonly string[], rng: Rng): Map<string, number[]> {
  const dealt = Array.from({ length: CLASSES }, () =>
    dirichlet(new Float64Array(Math.max(1, clients.length)).fill(0.4), rng),
  )
  return new Map(
    clients.map((client, i) => [
      client,
      dealt.map(
        (shares, label) => Math.round(shares[i]! * 6000) + (label === i % CLASSES ? 20 : 0),
      ),
    ]),
  )
}

interface Making {
  readonly round: number
  readonly clientIds: readonly ClientId[]
  readonly classCounts: ReadonlyMap<string, readonly number[]>
  readonly rng: Rng
}

function roundReportOf({ round, clientIds, classCounts, rng }: Making): RoundReport {
  const level = 0.885 - 0.42 / (round + 0.9) ** 0.75 + 0.004 * normal(rng)
  const hard = [0.02, 0.03, -0.09, 0.01, -0.05, 0.05, -0.16, 0.04, 0.07, 0.06]
  const around = (accuracy: number): Score => {
    const classAccuracy = hard.map((shift) => clamp(accuracy + shift + 0.015 * normal(rng)))
    const mean = classAccuracy.reduce((sum, share) => sum + share, 0) / CLASSES
    return { accuracy: mean, loss: 1.05 * -Math.log(mean) + 0.11, classAccuracy }
  }
  const parents = clientIds.map((client) => {
    const counts = classCounts.get(client)!
    const numExamples = counts.reduce((a, b) => a + b, 0)
    const classAccuracy = counts.map((count, label) =>
      clamp(
        (count > 60 ? 0.55 + 0.4 * Math.min(1, count / 800) : 0.08) +
          hard[label]! * 0.5 +
          0.04 * normal(rng),
      ),
    )
    const accuracy = classAccuracy.reduce((sum, share) => sum + share, 0) / CLASSES
    return {
      client,
      accuracy,
      loss: 2.2 * (1 - accuracy),
      classAccuracy,
      numExamples: Math.max(1, numExamples),
      classCounts: [...counts],
    }
  })
  const isKept = round % 7 === 5
  const fused = around(level - 0.09)
  const tuned = around(level)
  const published = isKept ? around(level - 0.004) : tuned
  const best = parents.reduce((a, b) => (b.accuracy > a.accuracy ? b : a))
  return {
    round: round as RoundNumber,
    cohort: clientIds.length,
    uploads: Math.max(1, clientIds.length - (round % 3 === 0 ? 1 : 0)),
    parents,
    controls: {
      ensemble: around(level + 0.008),
      average: around(level - 0.21),
      averageTuned: around(level - 0.028),
      proxyAlone: around(0.79),
      bestParentTuned: { ...around(level - 0.035), parent: best.client },
    },
    fused: {
      ...fused,
      reason: 'kf-linear with conductance was the best of 3 candidates on held-out proxy examples',
    },
    diversity: diversityOf(clientIds.slice(0, 8), rng),
    tuned: { ...tuned, epochs: 12, isTuned: true },
    published: {
      ...published,
      candidate: isKept ? 'kept' : 'tuned',
      isNew: !isKept,
      reason: isKept
        ? 'The global model is kept: 87.25 % on 400 held-out proxy examples, the tuned one 86.50 %.'
        : 'The tuned model is published: 88.50 % on 400 held-out proxy examples, the global model 87.25 %.',
      modelSha256: hexOf(`model ${isKept ? round - 1 : round}`),
    },
    evaluations: clientIds.map((client) => ({
      client,
      accuracy: clamp(level + 0.03 * normal(rng)),
    })),
    seconds: {
      train: 21 + 4 * rng.next(),
      attribute: 3.2 + rng.next(),
      upload: 1.4 + 0.4 * rng.next(),
      fuse: 5.2 + rng.next(),
      tune: 14 + 5 * rng.next(),
      evaluate: 4.8 + rng.next(),
    },
    bytes: { up: clientIds.length * 249_000, down: clientIds.length * 247_000 },
    peakRssMb: 612,
  }
}

function summaryOf(report: RoundReport): RoundSummary {
  const { round, cohort, uploads, controls, seconds, bytes, published } = report
  const accuracies = report.parents.map(({ accuracy }) => accuracy ?? 0)
  const { accuracy, loss, classAccuracy, candidate, modelSha256 } = published
  return {
    ...{ round, cohort, uploads, seconds, bytes },
    fused: { accuracy: report.fused.accuracy, loss: report.fused.loss },
    tuned: { accuracy: report.tuned.accuracy, loss: report.tuned.loss },
    published: { accuracy, loss, classAccuracy, candidate, modelSha256 },
    controls: {
      ensemble: controls.ensemble?.accuracy ?? null,
      average: controls.average?.accuracy ?? null,
      averageTuned: controls.averageTuned?.accuracy ?? null,
      proxyAlone: controls.proxyAlone?.accuracy ?? null,
      bestParentTuned: controls.bestParentTuned?.accuracy ?? null,
      bestParent: Math.max(...accuracies),
    },
  }
}

function diversityOf(parents: readonly string[], rng: Rng): DiversityReport {
  return {
    parents: [...parents],
    levels: LEVELS.map(([name]) => name),
    pairs: parents.flatMap((a, i) =>
      parents.slice(i + 1).map((b) => {
        const apart = rng.next()
        return {
          parents: [a, b] as [string, string],
          weightDistance: 0.35 + 0.4 * apart,
          disagreement: clamp(0.12 + 0.5 * apart + 0.05 * normal(rng)),
          cka: LEVELS.map((_, level) =>
            clamp(0.97 - level * 0.12 - 0.25 * apart + 0.04 * normal(rng)),
          ),
        }
      }),
    ),
    forecast: parents.length < 2 ? null : { probability: 0.68, isDiverseEnough: true },
  }
}

function ledgerOf(parents: readonly string[], rng: Rng): LedgerReport {
  const weights = dirichlet(
    new Float64Array(parents.length).fill(parents.length > 20 ? 0.35 : 2.5),
    rng,
  )
  return {
    parents: [...parents],
    groups: LEVELS.map(([name, width], level) => {
      // Each level leans towards somebody else.
      const tilt = dirichlet(
        new Float64Array(parents.length).fill(parents.length > 20 ? 0.3 : 1.6),
        rng.split(name),
      )
      const mixed = Array.from(weights, (w, i) => 0.55 * w + 0.45 * tilt[i]!)
      return {
        name,
        neurons: Array.from(
          { length: width },
          (_, neuron): [number, number, number, number | null][] => {
            const count = rng.next() < 0.35 + 0.1 * level ? 1 : rng.next() < 0.6 ? 2 : 3
            const chosen = [
              ...new Set(Array.from({ length: count }, () => draw(mixed, rng.next()))),
            ]
            const parts = dirichlet(new Float64Array(chosen.length).fill(3), rng)
            return chosen
              .map((parent, i): [number, number, number, number | null] => [
                parent,
                (neuron * 7 + parent * 13) % width,
                Math.max(1e-6, Number(parts[i]!.toPrecision(6))),
                Number(Math.abs(0.4 + 0.3 * normal(rng)).toPrecision(6)),
              ])
              .sort((a, b) => b[2] - a[2])
          },
        ),
      }
    }),
  }
}

function draw(weights: readonly number[], at: number): number {
  let sum = 0
  for (const [i, weight] of weights.entries()) {
    sum += weight
    if (at < sum) return i
  }
  return weights.length - 1
}

const clamp = (share: number): number => Math.min(0.999, Math.max(0, share))
