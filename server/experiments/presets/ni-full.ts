import { CONTROLS, type OfflineGrid } from '../offline/offline-grid.ts'
import type { OfflinePreset } from '../preset.ts'
import { HF, KF, KF_GRADIENT } from './ni-methods.ts'
import { NI_NONIID, niClaims } from './ni-noniid.ts'
import { OURS } from './sources.ts'

const gridOf = (base: OfflineGrid, models: readonly string[]): OfflineGrid => ({
  ...base,
  models,
  partitions: ['same'],
  parents: [2],
  tuning: { ...base.tuning, on: 'training images', epochs: [1, 5] },
})

export const NI_FULL: OfflinePreset = {
  kind: 'offline',
  name: 'ni-full',
  summary: 'networks that all saw the whole data: mlp, vgg11, vision transformer',
  full: gridOf({ ...NI_NONIID.full, datasets: ['cifar10'] }, [
    'mlp:IN-256-OUT',
    'vgg11:32',
    'vit:64x4',
  ]),
  quick: gridOf({ ...NI_NONIID.quick, images: 1000, seeds: [1, 2], testImages: 1000 }, [
    'mlp:IN-64-OUT',
    'vit:16x1',
  ]),
  claims: [
    ...niClaims('full'),
    {
      id: 'full-tuned-beats-parent',
      source: OURS,
      says: 'Fine-tuned on the same images, the best of HF and KF is above the best parent, tuned alike.',
      comparisons: [
        {
          left: { method: [HF, KF, KF_GRADIENT], measure: '5 epochs' },
          relation: 'above',
          right: { method: CONTROLS.bestParent, measure: '5 epochs' },
        },
      ],
    },
  ],
}
