import type { DiversityReport } from '../../shared/protocol/diversity-report.ts'
import { RoundReport, type RunReport } from '../../shared/protocol/run-report.ts'

type RoundInput = Omit<Partial<RoundReport>, 'round'> & { round?: number }

/** A round in which tuning beats every control; override what a test is about. */
export function roundReport(changes: RoundInput = {}): RoundReport {
  return RoundReport.parse({
    round: 1,
    cohort: 3,
    uploads: 2,
    parents: [
      { client: 'ada', accuracy: 0.61, loss: 1.2, numExamples: 500 },
      { client: 'bob', accuracy: 0.7, numExamples: 400 },
    ],
    controls: {
      ensemble: { accuracy: 0.9, loss: 0.4 },
      average: { accuracy: 0.4, loss: 2 },
      averageTuned: { accuracy: 0.8, loss: 0.6 },
      proxyAlone: { accuracy: 0.85, loss: 0.5 },
      bestParentTuned: { parent: 'bob', accuracy: 0.88, loss: 0.45 },
    },
    fused: { accuracy: 0.72, loss: 1 },
    tuned: { accuracy: 0.92, loss: 0.3, epochs: 4, isTuned: true },
    published: {
      candidate: 'tuned',
      isNew: true,
      reason: 'best on the held-out proxy examples',
      accuracy: 0.92,
      loss: 0.3,
      modelSha256: 'ab'.repeat(32),
    },
    seconds: { train: 10, attribute: 1, upload: 0.5, fuse: 0.25, tune: 3, evaluate: 2 },
    bytes: { up: 2_000_000, down: 2_000_000 },
    peakRssMb: 300,
    ...changes,
  })
}

export function runReport(rounds: RoundReport[]): RunReport {
  return {
    version: '0.1.0',
    seed: 7,
    engine: 'wasm',
    dataset: 'mnist',
    model: 'mlp',
    partition: 'labels:2',
    clients: 3,
    strategy: 'nt',
    proxy: 1000,
    rounds,
    final: { accuracy: 0.92, loss: 0.3, modelSha256: roundReport().published.modelSha256 },
  }
}

/** Of two clients who agree on most. */
export const DIVERSITY: DiversityReport = {
  parents: ['ada', 'bob'],
  levels: ['fc1', 'fc2'],
  pairs: [{ parents: ['ada', 'bob'], weightDistance: 0.25, disagreement: 0.125, cka: [0.9, null] }],
  forecast: { probability: 0.375, isDiverseEnough: false },
}
