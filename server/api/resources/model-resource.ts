import { GraftError } from '../../../shared/errors.ts'
import type { BlobId } from '../../../shared/ids.ts'
import type { ModelResource } from '../../../shared/protocol/operator/resources.ts'
import type { ListedModel } from '../../store/operator-store.ts'
import type { ApiContext } from '../api-context.ts'
import { Published } from './run-resource.ts'

/** A published model, or one that a round kept. */
export async function toModelResource(
  { blobs, operations }: ApiContext,
  { run, round, blob, createdAt, published }: ListedModel,
): Promise<ModelResource> {
  const { accuracy, loss, candidate } = Published.parse(published)
  const federation = operations.federation()
  return {
    run,
    round,
    sha256: blob,
    sizeBytes: await blobs.sizeOf(blob),
    accuracy,
    loss,
    candidate,
    isGlobal: federation.run === run && federation.globalModel === blob,
    createdAt: createdAt?.toISOString() ?? null,
  }
}

/** The newest round that ended with this model. @throws GraftError GRAFT_NOT_FOUND */
export async function findModel({ store }: ApiContext, sha256: BlobId): Promise<ListedModel> {
  const [model] = await store.lists.modelsOf(sha256)
  if (model === undefined) {
    throw new GraftError('GRAFT_NOT_FOUND', `No round ended with a model ${sha256}.`)
  }
  return model
}
