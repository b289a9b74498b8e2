import type { FuseReport } from '../../shared/protocol/fuse-report.ts'

/** A report of two parents, tuned and judged. */
export function fuseReport(given: Partial<FuseReport> = {}): FuseReport {
  return {
    version: '0.1.0',
    method: 'kf-linear:scores=sent:head=shares',
    seed: 7,
    engine: 'wasm',
    model: 'mlp:4-2-3-10',
    layout: 'tf',
    scores: 'conductance',
    proxy: { dataset: 'mnist', examples: 400 },
    test: 'mnist',
    parents: [
      { file: 'ada.safetensors', accuracy: 0.5, loss: 2.5, numExamples: 300 },
      { file: 'bob.safetensors', accuracy: 0.46, loss: 3, numExamples: 200 },
    ],
    isCounted: true,
    ensemble: { accuracy: 0.85, loss: 0.8 },
    controls: {
      average: { accuracy: 0.3, loss: 2 },
      averageTuned: { accuracy: 0.81, loss: 0.7 },
      proxyAlone: { accuracy: 0.82, loss: 0.6 },
      bestParentTuned: { accuracy: 0.78, loss: 0.75, file: 'ada.safetensors' },
    },
    fused: { accuracy: 0.6, loss: 1.1 },
    tuned: { accuracy: 0.86, loss: 0.5, epochs: 3, isTuned: true },
    diversity: null,
    reason: null,
    ledger: {
      parents: ['ada.safetensors', 'bob.safetensors'],
      groups: [
        { name: 'fc1', neurons: [[[0, 1, 1, 0.5]], [[0, 0, 0.5, null], [1, 1, 0.5, null]]] }, // prettier-ignore
        { name: 'fc2', neurons: [[[1, 0, 1, 2]], [[1, 2, 1, 1]], []] },
      ],
    },
    shares: [0.375, 0.5417],
    out: 'fused.safetensors',
    seconds: 1.25,
    phases: { read: 0.1, compare: 0.4, fuse: 1.25, tune: 2, judge: 3 },
    peakRssMb: 500,
    ...given,
  }
}
