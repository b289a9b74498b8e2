import { zipSync } from 'fflate'
import { DATASETS, findDataset } from '../../shared/data/datasets.ts'
import { decodeSafetensors } from '../../shared/model/safetensors.ts'
import { encodeLayersModel } from '../../shared/model/layers-model.ts'
import { openNetwork } from '../../shared/model/open-network.ts'
import { writeWeights } from '../../shared/model/weights.ts'
import type { DataShape } from '../../shared/model/architecture.ts'
import type { RunSettings } from '../../shared/protocol/run-settings.ts'
import { GraftError } from '../../shared/errors.ts'

/**
 * A model as the folder that `tf.loadLayersModel` reads, in a zip file.
 *
 * @param bytes of its safetensors file
 * @throws GraftError GRAFT_ACTION_REFUSED where the settings do not tell the shape of its data
 */
export async function zipLayersModel(
  settings: RunSettings,
  bytes: Uint8Array,
): Promise<Uint8Array> {
  const network = await openNetwork(settings, shapeOf(settings))
  const model = network.build()
  try {
    writeWeights(model, decodeSafetensors(bytes).tensors)
    // Weights hardly shrink: stored as they are, a large model costs no time.
    return zipSync(Object.fromEntries(await encodeLayersModel(model)), { level: 0 })
  } finally {
    model.dispose()
  }
}

function shapeOf({ data, dataset }: RunSettings): DataShape {
  if (data !== undefined) return data
  if (Object.hasOwn(DATASETS, dataset)) return findDataset(dataset)
  throw new GraftError(
    'GRAFT_ACTION_REFUSED',
    `Nobody here knows the shape of ${dataset}, so its network cannot be built.`,
  )
}
