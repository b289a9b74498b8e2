import { ClientId } from '../ids.ts'

/** Part `index` (0-based) of `count` equal claims on a shared data set. */
export interface Shard {
  readonly index: number
  readonly count: number
}

/**
 * `client-07` of 12 shards: with as many digits as the last one has, names sort as the shards do.
 */
export function shardName({ index, count }: Shard): ClientId {
  const { length } = String(count - 1)
  return ClientId.parse(`client-${String(index).padStart(length, '0')}`)
}
