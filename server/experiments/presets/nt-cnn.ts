import { CONTROLS, type OfflineGrid } from '../offline/offline-grid.ts'
import type { OfflinePreset } from '../preset.ts'
import { NT_PAIRS } from './nt-pairs.ts'
import { NT, OURS } from './sources.ts'

const METHODS = ['nt', 'fedavg', 'otfusion']
const FULL: OfflineGrid = {
  ...NT_PAIRS.full,
  datasets: ['cifar10'],
  models: ['lenet', 'vgg11:32', 'resnet18:16'],
  methods: METHODS,
  training: { optimizer: 'adam', learningRate: 0.001, batchSize: 64, epochs: 20 },
  tuning: {
    on: 'training images',
    ...{ optimizer: 'adam', batchSize: 64, learningRates: [0.001], epochs: [1, 5, 20] },
  },
}

/** Trained by Adam, not by the SGD of the paper, in which untuned deep networks do not start. */
export const NT_CNN: OfflinePreset = {
  kind: 'offline',
  name: 'nt-cnn',
  summary: 'pairs of convolutional networks: lenet, vgg11, resnet18',
  full: FULL,
  quick: {
    ...FULL,
    datasets: ['mnist'],
    models: ['lenet', 'resnet18:4'],
    seeds: [1, 2],
    images: 1000,
    training: { ...FULL.training, epochs: 3 },
    tuning: { ...FULL.tuning, epochs: [1, 5] },
    proxyImages: 200,
    testImages: 1000,
  },
  claims: [
    {
      id: 'cnn-above-ot',
      source: NT,
      says: 'NT needs less fine-tuning than optimal transport, for convolutional networks too (here: it is ahead after one epoch).',
      comparisons: [
        {
          left: { method: 'nt', measure: '1 epoch' },
          relation: 'above',
          right: { method: 'otfusion', measure: '1 epoch' },
        },
      ],
    },
    {
      id: 'cnn-above-average',
      source: OURS,
      says: 'After one epoch NT is above the average.',
      comparisons: [
        {
          left: { method: 'nt', measure: '1 epoch' },
          relation: 'above',
          right: { method: 'fedavg', measure: '1 epoch' },
        },
      ],
    },
    {
      id: 'cnn-beats-parents',
      source: NT,
      says: 'Fine-tuned for five epochs, the fused network beats the best parent with the same fine-tuning.',
      comparisons: [
        {
          left: { method: 'nt', measure: '5 epochs' },
          relation: 'above',
          right: { method: CONTROLS.bestParent, measure: '5 epochs' },
        },
      ],
    },
  ],
}
