import { FEDERATION_MEASURES, type FederationGrid } from '../federation/federation-grid.ts'
import type { FederationPreset } from '../preset.ts'
import { OURS } from './sources.ts'
import { FUSIONS, RIVALS_IN_ROUNDS } from './strategies-compared.ts'

const FULL: FederationGrid = {
  datasets: ['mnist', 'fashion-mnist'],
  partitions: ['dirichlet:0.1'],
  clients: [10],
  seeds: [1, 2, 3],
  methods: [...RIVALS_IN_ROUNDS, ...FUSIONS],
  // They know neither tuning on a proxy set nor a gate.
  rivals: { methods: RIVALS_IN_ROUNDS, tune: 'none', publish: 'always' },
  rehearse: ['none'],
  model: 'mlp:IN-256-128-OUT',
  images: 6000,
  rounds: 50,
  localEpochs: 2,
  proxyImages: 1000,
  tuneEpochs: 30,
  targets: { mnist: 0.95, 'fashion-mnist': 0.8 },
  measures: ['best', 'rounds', 'megabytes', 'roundSeconds'],
  controls: false,
}

export const ROUNDS: FederationPreset = {
  kind: 'federation',
  name: 'rounds',
  summary: 'rounds and bytes to 95 % on MNIST, 80 % on Fashion-MNIST, 10 clients, Dirichlet 0.1',
  full: FULL,
  quick: {
    ...FULL,
    datasets: ['mnist'],
    seeds: [1],
    methods: ['fedavg', 'feddf', 'nt:importance=attribution', 'kf-linear'],
    model: 'mlp:IN-64-OUT',
    images: 600,
    rounds: 6,
    tuneEpochs: 5,
  },
  claims: [
    {
      id: 'rounds-third',
      source: OURS,
      says: 'The best fusion reaches the target in a third of the rounds that FedAvg takes, or fewer.',
      comparisons: [
        {
          left: { method: FUSIONS, measure: FEDERATION_MEASURES.rounds.name },
          relation: 'below',
          right: { method: 'fedavg', measure: FEDERATION_MEASURES.rounds.name },
          times: 3,
        },
      ],
    },
    {
      id: 'rounds-feddf',
      source: OURS,
      says: 'The best fusion reaches the target with fewer bytes than FedDF.',
      comparisons: [
        {
          left: { method: FUSIONS, measure: FEDERATION_MEASURES.megabytes.name },
          relation: 'below',
          right: { method: 'feddf', measure: FEDERATION_MEASURES.megabytes.name },
        },
      ],
    },
  ],
}
