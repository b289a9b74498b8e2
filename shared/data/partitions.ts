import { dirichletByClass, dirichletOrdered } from './partitions/dirichlet.ts'
import { iid } from './partitions/iid.ts'
import { labelsPerClient } from './partitions/labels.ts'
import type { Partitioner } from './partitions/partitioner.ts'
import { quantity } from './partitions/quantity.ts'
import { sharded } from './partitions/sharded.ts'
import { shards } from './partitions/shards.ts'

export interface PartitionSpec {
  /** How it is written, e.g. `labels:N`. */
  readonly usage: string
  /** One line for --help. */
  readonly summary: string
  /** The number behind the colon; null when there is none. */
  readonly argument: Argument | null
  create(argument: number): Partitioner
}

interface Argument {
  /** What is allowed, for messages: "N must be ...". */
  readonly allowed: string
  isAllowed(value: number): boolean
  /** Taken when no number is given; null when one must be. */
  readonly fallback: number | null
}

const COUNT: Argument = {
  allowed: 'a whole number from 1',
  isAllowed: (value) => Number.isSafeInteger(value) && value >= 1,
  fallback: null,
}
const CONCENTRATION: Argument = {
  allowed: 'a number above 0',
  isAllowed: (value) => Number.isFinite(value) && value > 0,
  fallback: null,
}

/** Every way to deal a data set to clients, by the name that `--partition` takes. */
export const PARTITIONS = {
  iid: {
    usage: 'iid',
    summary: 'shuffled and cut evenly',
    argument: null,
    create: () => iid,
  },
  labels: {
    usage: 'labels:N',
    summary: 'N classes a client, each class divided evenly among its owners',
    argument: COUNT,
    create: labelsPerClient,
  },
  dirichlet: {
    usage: 'dirichlet:ALPHA',
    summary: 'each class divided over the clients by Dirichlet shares',
    argument: CONCENTRATION,
    create: dirichletByClass,
  },
  shards: {
    usage: 'shards:N',
    summary: 'sorted by class, cut into shards, N of them a client',
    argument: COUNT,
    create: shards,
  },
  quantity: {
    usage: 'quantity:ALPHA',
    summary: 'the same mix of classes, Dirichlet sizes',
    argument: CONCENTRATION,
    create: quantity,
  },
  sharded: {
    usage: 'sharded',
    summary: 'whole classes, none twice',
    argument: null,
    create: () => sharded,
  },
  'dirichlet-ordered': {
    usage: 'dirichlet-ordered[:RATIO]',
    summary: 'each class by Dirichlet shares of concentrations 1 to 1/RATIO (0.2)',
    argument: {
      allowed: 'a number above 0, at most 1',
      isAllowed: (value) => value > 0 && value <= 1,
      fallback: 0.2,
    },
    create: dirichletOrdered,
  },
} as const satisfies Record<string, PartitionSpec>
export type PartitionName = keyof typeof PARTITIONS
