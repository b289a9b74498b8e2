import { GraftError } from '../../../shared/errors.ts'
import type { Store } from '../../store/store.ts'
import type { Board } from './board.ts'
import { eventsAfter, parseEventId } from './live-events.ts'
import type { Operations } from '../operations.ts'

/** What operators may look at. */
export type Views = Pick<Operations, 'federation' | 'lanes' | 'lane' | 'listen' | 'eventsAfter'>

export function createViews(board: Board, store: Store): Views {
  return {
    federation: board.federation,
    lanes: board.lanes,
    lane: board.lane,
    listen: board.listen,
    async eventsAfter(id, limit, only) {
      const after = parseEventId(id)
      if (after === null) {
        const problem = `${JSON.stringify(id.slice(0, 64))} is no id of an event, as 3.17 is.`
        throw new GraftError('GRAFT_OPTION_INVALID', problem)
      }
      return eventsAfter(store, after, { limit, ...(only !== undefined && { only }) })
    },
  }
}
