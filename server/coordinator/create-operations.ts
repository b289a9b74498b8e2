import { createClientActions } from './client-actions.ts'
import { createViews } from './live/views.ts'
import type { Operations } from './operations.ts'
import type { OperationsContext } from './operations-context.ts'
import { createRunActions } from './run-actions.ts'
import { createUploadActions } from './upload-actions.ts'

/** Everything that an operator may see and do. */
export function createOperations(context: OperationsContext): Operations {
  return {
    ...createViews(context.board, context.store),
    ...createRunActions(context),
    ...createClientActions(context),
    ...createUploadActions(context),
  }
}
