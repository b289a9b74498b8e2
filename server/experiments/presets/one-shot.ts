import {
  FEDERATION_CONTROLS,
  FEDERATION_MEASURES,
  type FederationGrid,
  rehearsed,
} from '../federation/federation-grid.ts'
import type { Claim, FederationPreset } from '../preset.ts'
import { OURS } from './sources.ts'
import { FUSIONS, RIVALS } from './strategies-compared.ts'

const FULL: FederationGrid = {
  datasets: ['mnist', 'fashion-mnist', 'cifar10'],
  partitions: ['labels:2', 'dirichlet:0.1', 'dirichlet:0.3', 'dirichlet:0.5'],
  clients: [5],
  seeds: [1, 2, 3],
  methods: [...RIVALS, ...FUSIONS],
  // Fine-tuned on the labels, as everybody can: what the ensemble teaches beside them is ours.
  rivals: { methods: RIVALS, tune: 'labels', publish: 'always' },
  rehearse: ['none', 'plain', 'adjusted'],
  model: 'mlp:IN-256-128-OUT',
  images: 60_000,
  rounds: 1,
  localEpochs: 5,
  proxyImages: 1000,
  tuneEpochs: 150,
  measures: ['fused', 'tuned', 'published'],
  controls: true,
}

const published = FEDERATION_MEASURES.published.name
/** Each side has the same choice of rehearsal. */
const either = (...methods: readonly string[]) =>
  methods.flatMap((method) => FULL.rehearse.map((rehearsal) => rehearsed(method, rehearsal)))

const beats = (id: string, rival: string, others: readonly string[]): Claim => ({
  id: `one-shot-${id}`,
  source: OURS,
  says: `In one round, the best fusion beats ${rival}, by 3 points where clients have two classes each.`,
  comparisons: FULL.partitions.map((partition) => ({
    left: { method: either(...FUSIONS), measure: published },
    relation: 'above',
    right: { method: others, measure: published },
    where: { partition },
    by: partition === 'labels:2' ? 0.03 : 0,
  })),
})

/** One round of federated learning; the setting of DENSE and FuseFL, with a small proxy set. */
export const ONE_SHOT: FederationPreset = {
  kind: 'federation',
  name: 'one-shot',
  summary: 'one round of 5 clients with skewed data: every strategy, by kinds of rehearsal',
  full: FULL,
  quick: {
    ...FULL,
    datasets: ['mnist'],
    partitions: ['labels:2'],
    seeds: [1],
    methods: ['fedavg', 'feddf', 'nt:importance=attribution', 'kf-linear'],
    rehearse: ['none', 'adjusted'],
    images: 2000,
    tuneEpochs: 50,
  },
  claims: [
    beats('proxy-alone', 'a network of the proxy set alone', [FEDERATION_CONTROLS.proxyAlone]),
    beats('average', 'averaging + fine-tuning', either(FEDERATION_CONTROLS.averageTuned)),
    beats('parent', 'the best parent + fine-tuning', either(FEDERATION_CONTROLS.bestParentTuned)),
    beats('feddf', 'FedDF', either('feddf')),
    {
      id: 'one-shot-rehearsal',
      source: OURS,
      says: 'Rehearsal alone makes averaging better than a network of the proxy set alone.',
      comparisons: [
        {
          left: { method: rehearsed('fedavg', 'plain'), measure: published },
          relation: 'above',
          right: { method: FEDERATION_CONTROLS.proxyAlone, measure: published },
        },
      ],
    },
  ],
}
