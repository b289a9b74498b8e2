import { z } from 'zod'
import { BlobId } from '../../../shared/ids.ts'
import type { FederationView } from '../../../shared/protocol/operator/live.ts'
import {
  FailureResource,
  type RunResource,
  RunStatus,
} from '../../../shared/protocol/operator/resources.ts'
import type { ListedRun } from '../../store/operator-store.ts'
import { toFailureResource } from './failure-resource.ts'

/** What is read of a report's `published`. */
export const Published = z.object({
  accuracy: z.number(),
  loss: z.number(),
  classAccuracy: z.array(z.number().nullable()).optional(),
  candidate: z.enum(['fused', 'tuned', 'kept']),
  modelSha256: BlobId,
})

const Failure = FailureResource.omit({ remedy: true })
const failureOf = ({ code, problem }: z.infer<typeof Failure>) => toFailureResource(code, problem)

/** A stored run, with what the coordinator knows of the one that goes on. */
export function toRunResource(
  { published, createdAt, status, failure, ...run }: ListedRun,
  federation: Pick<FederationView, 'run' | 'isPaused'>,
): RunResource {
  const newest = published === null ? null : Published.parse(published)
  const isPaused = federation.run === run.id && federation.isPaused && status === 'running'
  return {
    ...run,
    status: isPaused ? 'paused' : RunStatus.parse(status),
    failure: failure === null ? null : failureOf(Failure.parse(failure)),
    createdAt: createdAt.toISOString(),
    accuracy: newest?.accuracy ?? null,
    modelSha256: newest?.modelSha256 ?? null,
  }
}
