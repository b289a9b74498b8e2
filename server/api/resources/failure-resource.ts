import { type ErrorCode, ERRORS } from '../../../shared/errors.ts'
import type { FailureResource } from '../../../shared/protocol/operator/resources.ts'

/** @param problem what went wrong, a sentence */
export function toFailureResource(code: ErrorCode, problem: string): FailureResource {
  return { code, problem, remedy: ERRORS[code].remedy }
}
