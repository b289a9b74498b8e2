import type { RunSettings } from '../../shared/protocol/run-settings.ts'

/** Of runs that tests of a store keep. */
export const SETTINGS: RunSettings = {
  seed: 7,
  dataset: 'mnist',
  model: 'mlp:784-32-10',
  initialModel: null,
  partition: 'labels:2',
  examplesPerClient: null,
  clients: 2,
  rounds: 3,
  strategy: 'nt',
  proxy: 100,
  rehearse: false,
  scorer: 'uniform',
  training: { epochs: 1, batchSize: 32, optimizer: 'adam', learningRate: 0.001 },
  tune: { mode: 'both', epochs: 1, learningRate: 0.001, batchSize: 32 },
  quorum: 2,
  deadlineSeconds: 60,
}
