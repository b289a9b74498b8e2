import { connect } from '../../client/node/connection.ts'
import { RunJoined } from '../../shared/protocol/messages.ts'
import { ClientId } from '../../shared/ids.ts'

/**
 * A client that only joins, again after every connection: it hears of a new leader when clients do. It is never ready, so it is in
 * no cohort.
 */
export function startClientProbe(
  servers: readonly string[],
  token: string,
  onAnswer: () => void,
): AsyncDisposable {
  const connection = connect({
    servers,
    auth: { token, name: ClientId.parse('probe'), version: '0', engine: 'none' },
    retrySeconds: 3600,
    onNews: ({ type }) => {
      if (type !== 'connected') return
      connection.request('run:join', {}, RunJoined).then(onAnswer, () => undefined)
    },
  })
  return {
    async [Symbol.asyncDispose]() {
      connection.close()
    },
  }
}
