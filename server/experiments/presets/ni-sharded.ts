import type { OfflinePreset } from '../preset.ts'
import { NI_NONIID, niClaims } from './ni-noniid.ts'

const PARTITIONS = ['sharded']

export const NI_SHARDED: OfflinePreset = {
  kind: 'offline',
  name: 'ni-sharded',
  summary: 'networks without a class in common, fused without tuning',
  full: { ...NI_NONIID.full, partitions: PARTITIONS, parents: [2, 4, 6] },
  quick: { ...NI_NONIID.quick, partitions: PARTITIONS },
  claims: niClaims('sharded'),
}
