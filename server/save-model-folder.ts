import type { Network } from '../shared/model/network.ts'
import { decodeSafetensors } from '../shared/model/safetensors.ts'
import { writeWeights } from '../shared/model/weights.ts'
import { writeLayersModel } from '../shared/model-files/layers-model-folder.ts'

/**
 * Writes a published model of a topology as a TensorFlow.js folder too: nobody but its owner could build a network
 * for the weights alone.
 *
 * @param bytes of the model's safetensors file
 * @throws GraftError GRAFT_DISK_FULL, GRAFT_FILE_UNREADABLE
 */
export async function saveModelFolder(
  network: Network,
  bytes: Uint8Array,
  folder: string,
): Promise<void> {
  const model = network.build()
  try {
    writeWeights(model, decodeSafetensors(bytes).tensors)
    await writeLayersModel(folder, model)
  } finally {
    model.dispose()
  }
}
