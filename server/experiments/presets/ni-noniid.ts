import { CONTROLS, FUSED, type OfflineGrid } from '../offline/offline-grid.ts'
import type { Claim, OfflinePreset } from '../preset.ts'
import { EARLIER, HF, KF, KF_GRADIENT, NI_METHODS } from './ni-methods.ts'
import { NI, OURS } from './sources.ts'

const FULL: OfflineGrid = {
  datasets: ['mnist', 'fashion-mnist', 'cifar10'],
  models: ['mlp:IN-256-OUT'],
  partitions: ['dirichlet-ordered'],
  parents: [2, 4, 8],
  seeds: [1, 2, 3],
  methods: NI_METHODS,
  images: 60_000,
  training: { optimizer: 'adam', learningRate: 0.001, batchSize: 64, epochs: 10 },
  proxyImages: 400,
  tuning: {
    on: 'proxy images',
    ...{ optimizer: 'adam', batchSize: 64, learningRates: [0.001], epochs: [5, 20] },
  },
  testImages: 10_000,
}

/** @param prefix of the ids, which are unique over all presets */
export const niClaims = (prefix: string): Claim[] => [
  {
    id: `${prefix}-beats-earlier`,
    source: NI,
    says: 'Right after fusion, the best of HF and KF is above averaging, OTFusion and Git Re-Basin.',
    comparisons: [
      {
        left: { method: [HF, KF, KF_GRADIENT], measure: FUSED },
        relation: 'above',
        right: { method: EARLIER, measure: FUSED },
      },
    ],
  },
  {
    id: `${prefix}-linear-above-gradient`,
    source: 'NI (arXiv 2507.00037), limitations',
    says: 'On the same few images, KF linear is above KF gradient.',
    comparisons: [
      {
        left: { method: KF, measure: FUSED },
        relation: 'above',
        right: { method: KF_GRADIENT, measure: FUSED },
      },
    ],
  },
  {
    id: `${prefix}-beats-parent`,
    source: OURS,
    says: 'Right after fusion, the best of HF and KF is above the best parent.',
    comparisons: [
      {
        left: { method: [HF, KF, KF_GRADIENT], measure: FUSED },
        relation: 'above',
        right: { method: CONTROLS.bestParent, measure: FUSED },
      },
    ],
  },
  {
    id: `${prefix}-prior`,
    source: OURS,
    says: "Graft's own KF linear, which starts from the parents' weights, is above the paper's.",
    comparisons: [
      {
        left: { method: 'kf-linear', measure: FUSED },
        relation: 'above',
        right: { method: KF, measure: FUSED },
      },
    ],
  },
]

export const NI_NONIID: OfflinePreset = {
  kind: 'offline',
  name: 'ni-noniid',
  summary: 'two to eight networks of skewed parts of the data, fused without tuning',
  full: FULL,
  quick: {
    ...FULL,
    datasets: ['mnist'],
    models: ['mlp:IN-64-OUT'],
    parents: [2, 4],
    images: 3000,
    training: { ...FULL.training, epochs: 3 },
    tuning: { ...FULL.tuning, epochs: [5] },
    testImages: 2000,
  },
  claims: niClaims('noniid'),
}
