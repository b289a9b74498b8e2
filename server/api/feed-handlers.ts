import { toGraftError } from '../../shared/errors.ts'
import type { FeedHandlers } from '../gateway/operator-feed.ts'
import type { ApiContext } from './api-context.ts'
import { bearerOf, cookieOf, identify } from './identity.ts'
import { assertOwnOrigin } from './origin.ts'
import { isDenial } from './problems.ts'
import type { RefusalLog } from './refusal-log.ts'

const ROUTE = 'socket /operator'

/** Lets operators into the live feed as the API lets them in, and gives it what it tells. */
export function createFeedHandlers(
  { operations, store, onFault }: ApiContext,
  refusals: RefusalLog,
): FeedHandlers {
  return {
    async admit({ token, headers, address }) {
      try {
        assertOwnOrigin(headers)
        const bearer = token ?? bearerOf(headers.authorization)
        const found = cookieOf(headers.cookie)
        const { tokenId, session } = await identify(store, { bearer, cookie: found })
        return { tokenId, sessionId: session?.id ?? null }
      } catch (error) {
        const refusal = toGraftError(error)
        const { code } = refusal
        if (isDenial(refusal)) {
          refusals.note({ actor: 'operator:unknown', address, code, route: ROUTE })
        }
        throw refusal
      }
    },
    federation: () => operations.federation(),
    lanes: () => operations.lanes(),
    eventsAfter: (id, limit) => operations.eventsAfter(id, limit),
    onFault,
  }
}
