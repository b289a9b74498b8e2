import { attachOperatorFeed } from '../gateway/operator-feed.ts'
import type { SocketServer } from '../gateway/socket-server.ts'
import type { AccessWatch } from './access-watch.ts'
import type { ApiContext } from './api-context.ts'
import { createFeedHandlers } from './feed-handlers.ts'
import type { RefusalLog } from './refusal-log.ts'

/** Starts the live feed beside the API. @returns how to end it */
export function startFeed(
  context: ApiContext,
  sockets: SocketServer,
  { refusals, watch }: { readonly refusals: RefusalLog; readonly watch: AccessWatch },
): () => void {
  const feed = attachOperatorFeed(sockets, createFeedHandlers(context, refusals))
  const stopListening = context.operations.listen(feed)
  const stopWatching = watch.listen(feed)
  return () => {
    stopListening()
    stopWatching()
    feed.close()
  }
}
