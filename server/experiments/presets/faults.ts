import type { FederationGrid, NamedFaults } from '../federation/federation-grid.ts'
import { FEDERATION_MEASURES, struckBy } from '../federation/federation-grid.ts'
import type { Claim, FederationPreset } from '../preset.ts'
import { OURS } from './sources.ts'

const NETWORK = 'broken network'
const LEAVERS = 'leavers'
const BROKEN_UPDATES = 'broken updates'
const METHODS = ['fedavg', 'nt', 'kf-linear']

type Deadline = Pick<NamedFaults, 'deadlineSeconds'>

const FAULTS_IN_TURN: readonly Omit<NamedFaults, keyof Deadline>[] = [
  {
    // All clients are still there at the end, and all of their updates: nothing may be lost, so nothing may change.
    name: NETWORK,
    plan: {
      faults: [
        { fault: 'cut', at: 'upload', byte: 20_000, probability: 0.3 },
        { fault: 'cut', at: 'training', probability: 0.2 },
        { fault: 'flip', probability: 0.2 },
        { fault: 'leave', when: 'after-upload', back: 'same-round', probability: 0.1 },
      ],
    },
    quorum: 10,
  },
  {
    // A fifth of the cohort is missing in each round.
    name: LEAVERS,
    plan: {
      faults: [{ fault: 'leave', when: 'before-upload', back: 'next-round', probability: 0.2 }],
    },
    quorum: 1,
  },
  {
    // A fifth of the updates holds what is no number.
    name: BROKEN_UPDATES,
    plan: { faults: [{ fault: 'corrupt', how: 'nan', probability: 0.2 }] },
    quorum: 1,
  },
]

const allFaults = (deadline: Deadline): NamedFaults[] =>
  FAULTS_IN_TURN.map((faults) => ({ ...faults, ...deadline }))

const FULL: FederationGrid = {
  datasets: ['mnist', 'fashion-mnist'],
  partitions: ['dirichlet:0.3'],
  clients: [10],
  seeds: [1, 2, 3],
  methods: METHODS,
  rivals: { methods: [], tune: 'none', publish: 'better' },
  rehearse: ['none'],
  faults: allFaults({ deadlineSeconds: 60 }),
  model: 'mlp:IN-256-128-OUT',
  images: 2000,
  rounds: 5,
  localEpochs: 2,
  proxyImages: 1000,
  tuneEpochs: 30,
  measures: ['published', 'updates', 'roundSeconds'],
  controls: false,
}

const published = FEDERATION_MEASURES.published.name
const updates = FEDERATION_MEASURES.updates.name

const CLAIMS: readonly Claim[] = [
  {
    id: 'faults-network',
    source: OURS,
    says: 'Cut connections, flipped bits and clients that come back change neither what is fused nor what is published.',
    comparisons: METHODS.flatMap((method) =>
      [published, updates].map((measure) => ({
        left: { method: struckBy(method, NETWORK), measure },
        relation: 'near',
        right: { method, measure },
        by: 0,
      })),
    ),
  },
  {
    id: 'faults-missing',
    source: OURS,
    says: 'Without a fifth of the updates of each round, the published model loses 2 points at most.',
    comparisons: METHODS.flatMap((method) =>
      [LEAVERS, BROKEN_UPDATES].map((name) => ({
        left: { method: struckBy(method, name), measure: published },
        relation: 'above',
        right: { method, measure: published },
        by: -0.02,
      })),
    ),
  },
]

/** What clients, networks and updates that fail cost, by fault plans that anyone can repeat. */
export const FAULTS: FederationPreset = {
  kind: 'federation',
  name: 'faults',
  summary: 'cut networks, leavers and broken updates: what they cost, by seeded fault plans',
  full: FULL,
  quick: {
    ...FULL,
    datasets: ['mnist'],
    seeds: [1],
    methods: ['fedavg', 'kf-linear'],
    model: 'mlp:IN-32-OUT',
    faults: allFaults({ deadlineSeconds: 15 }),
    images: 500,
    rounds: 3,
    tuneEpochs: 10,
  },
  claims: CLAIMS,
}
