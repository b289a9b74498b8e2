import { CONTROLS, FUSE_SECONDS, FUSED, type OfflineGrid } from '../offline/offline-grid.ts'
import type { OfflinePreset } from '../preset.ts'
import { NT, ntCode, OURS } from './sources.ts'

const OT = 'otfusion:by=weights'
const EARLY = '1 epoch'
const LATE = '20 epochs'

const FULL: OfflineGrid = {
  datasets: ['mnist', 'fashion-mnist', 'cifar10'],
  models: ['mlp:IN-512-512-512-OUT'],
  partitions: ['same'],
  parents: [2],
  seeds: [1, 2, 3],
  methods: ['nt', 'nt:variant=prune-merge', 'fedavg', OT],
  images: 20_000,
  training: { optimizer: 'sgd', learningRate: 0.01, batchSize: 256, epochs: 30 },
  proxyImages: 1000,
  tuning: {
    on: 'training images',
    ...{ optimizer: 'sgd', batchSize: 256, learningRates: [0.01], epochs: [1, 5, 20] },
  },
  testImages: 10_000,
}

/** The setting of the paper's pairs; its networks have no biases, ours do. SVHN is no data set by name. */
export const NT_PAIRS: OfflinePreset = {
  kind: 'offline',
  name: 'nt-pairs',
  summary: 'two MLPs of the same data: nt in both orders against averaging and optimal transport',
  full: FULL,
  quick: {
    ...FULL,
    datasets: ['mnist', 'fashion-mnist'],
    models: ['mlp:IN-128-128-128-OUT'],
    images: 2000,
    training: { ...FULL.training, batchSize: 64, epochs: 20 },
    proxyImages: 500,
    // Of 2,000 images, batches of 256 would be too few steps.
    tuning: { ...FULL.tuning, batchSize: 64 },
    testImages: 2000,
  },
  claims: [
    {
      id: 'nt-recovers',
      source: NT,
      says: 'What is lost right after transplantation is recovered quickly by fine-tuning (here: to within a point of the best parent in one epoch).',
      comparisons: [
        {
          left: { method: 'nt', measure: EARLY },
          relation: 'above',
          right: { method: CONTROLS.bestParent, measure: FUSED },
          by: -0.01,
        },
      ],
    },
    {
      id: 'nt-beats-parents',
      source: NT,
      says: 'The fused network, fine-tuned, consistently beats the single networks (here: the best parent with the same fine-tuning).',
      comparisons: [
        {
          left: { method: 'nt', measure: LATE },
          relation: 'above',
          right: { method: CONTROLS.bestParent, measure: LATE },
        },
      ],
    },
    {
      id: 'nt-less-tuning-than-ot',
      source: NT,
      says: 'NT needs less fine-tuning than optimal transport (here: it is ahead after one epoch).',
      comparisons: [
        {
          left: { method: 'nt', measure: EARLY },
          relation: 'above',
          right: { method: OT, measure: EARLY },
        },
      ],
    },
    {
      id: 'nt-no-worse-than-ot',
      source: NT,
      says: 'Fine-tuned, NT is as good as optimal transport or better (here: at most half a point below).',
      comparisons: [
        {
          left: { method: 'nt', measure: LATE },
          relation: 'above',
          right: { method: OT, measure: LATE },
          by: -0.005,
        },
      ],
    },
    {
      id: 'nt-faster-than-ot',
      source: NT,
      says: 'NT fuses faster than optimal transport.',
      comparisons: [
        {
          left: { method: 'nt', measure: FUSE_SECONDS },
          relation: 'below',
          right: { method: OT, measure: FUSE_SECONDS },
        },
      ],
    },
    {
      id: 'nt-merge-first',
      source: ntCode('ex6_order.py'),
      says: 'To merge and then prune is the better order, if not by much.',
      comparisons: [
        {
          left: { method: 'nt', measure: LATE },
          relation: 'above',
          right: { method: 'nt:variant=prune-merge', measure: LATE },
        },
      ],
    },
    {
      id: 'nt-above-average',
      source: OURS,
      says: 'NT is above the plain average, right after fusion and after one epoch.',
      comparisons: [FUSED, EARLY].map((measure) => ({
        left: { method: 'nt', measure },
        relation: 'above',
        right: { method: 'fedavg', measure },
      })),
    },
  ],
}
