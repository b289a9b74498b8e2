import { GraftError } from '../errors.ts'
import type { PartitionInput, Partitioner } from './partitions/partitioner.ts'
import { type PartitionName, PARTITIONS, type PartitionSpec } from './partitions.ts'

/**
 * Deals examples to clients.
 *
 * @param text as `--partition` takes it, e.g. `dirichlet:0.1`
 * @returns positions in `labels` of each client's examples, ascending, [client][example]; disjoint, and
 *   at least one for each client
 * @throws GraftError GRAFT_OPTION_INVALID when `text` is not a partition;
 *   GRAFT_PARTITION_INVALID when these examples cannot be dealt so
 */
export function partition(text: string, input: PartitionInput): Int32Array[] {
  const partitioner = parsePartition(text)
  const { clients, labels } = input
  if (!(Number.isSafeInteger(clients) && clients >= 1)) {
    const problem = `There cannot be ${clients} clients: the number must be a whole number from 1.`
    throw new GraftError('GRAFT_PARTITION_INVALID', problem)
  }
  if (clients > labels.length) {
    const problem = `${labels.length} examples are too few for ${clients} clients, one each.`
    throw new GraftError('GRAFT_PARTITION_INVALID', problem)
  }
  return partitioner(input)
}

/** @throws GraftError GRAFT_OPTION_INVALID naming what is allowed, when `text` is not a partition */
export function parsePartition(text: string): Partitioner {
  const colon = text.indexOf(':')
  const name = colon < 0 ? text : text.slice(0, colon)
  const written = colon < 0 ? null : text.slice(colon + 1)
  if (!Object.hasOwn(PARTITIONS, name)) {
    const usages = Object.values(PARTITIONS).map(({ usage }) => usage)
    throw invalid(text, `choose ${usages.join(', ')}`)
  }

  const spec: PartitionSpec = PARTITIONS[name as PartitionName]
  const { usage, argument } = spec
  if (argument === null) {
    if (written !== null) throw invalid(text, `${usage} takes no number`)
    return spec.create(0)
  }
  const value = written === null ? argument.fallback : toNumber(written)
  if (value === null || !argument.isAllowed(value))
    throw invalid(text, `write ${usage} with ${argument.allowed}`)
  return spec.create(value)
}

/** Number('') is 0, which nobody means. */
const toNumber = (written: string): number => (written.trim() === '' ? NaN : Number(written))

function invalid(text: string, allowed: string): GraftError {
  return new GraftError(
    'GRAFT_OPTION_INVALID',
    `The partition "${text}" is not allowed: ${allowed}.`,
  )
}
