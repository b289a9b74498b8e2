import type { FederationGrid } from '../federation/federation-grid.ts'
import type { FederationPreset } from '../preset.ts'

const FULL: FederationGrid = {
  datasets: ['mnist'],
  partitions: ['dirichlet:0.5'],
  clients: [10, 30, 100, 300, 1000],
  seeds: [1],
  methods: ['fedavg', 'nt', 'kf-linear'],
  rivals: { methods: [], tune: 'none', publish: 'better' },
  rehearse: ['none'],
  model: 'mlp:IN-128-64-OUT',
  images: 50,
  rounds: 3,
  localEpochs: 2,
  proxyImages: 1000,
  tuneEpochs: 5,
  measures: ['published', 'roundSeconds', 'memory'],
  controls: false,
}

/** A measurement, without a claim: all clients share one machine, so times tell of it as much as of Graft. */
export const SCALE: FederationPreset = {
  kind: 'federation',
  name: 'scale',
  summary: '10 to 1,000 clients: seconds a round and memory of the coordinator',
  full: FULL,
  quick: {
    ...FULL,
    clients: [10, 50],
    methods: ['fedavg', 'nt'],
    model: 'mlp:IN-32-OUT',
    rounds: 1,
    tuneEpochs: 1,
  },
  claims: [],
}
