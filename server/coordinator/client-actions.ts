import type { GraftError } from '../../shared/errors.ts'
import { act, actionRefused } from './act.ts'
import { banned, dismiss, tokenInvalid } from './dismiss.ts'
import type { Operations } from './operations.ts'
import type { OperationsContext } from './operations-context.ts'

type ClientActions = Pick<Operations, 'ban' | 'release' | 'tokenRevoked'>

/** What operators do to clients. */
export function createClientActions({
  store,
  board,
  helm,
  gateway,
}: OperationsContext): ClientActions {
  async function countBans(): Promise<void> {
    board.count({ banned: (await store.listBans()).length })
    board.changed('clients')
  }

  return {
    ban: (client, reason, by) =>
      act(store, by, {
        ...{ name: 'client:banned', details: { client, reason } },
        async check() {
          if (!(await store.listClients()).some(({ id }) => id === client)) {
            throw actionRefused(`No client has ever joined as ${client}.`)
          }
          if ((await store.listBans()).some((ban) => ban.client === client)) {
            throw actionRefused(`${client} is banned already.`)
          }
        },
        async perform() {
          await store.banClient({ client, by, reason })
          const session = helm.steered?.session
          const { round } = session ?? {}
          dismiss(session, gateway, client, banned({ client, reason }))
          await round?.dispatch({ type: 'client-banned', round: round.state.round, client, by })
          await countBans()
        },
      }),

    release: (client, by) =>
      act(store, by, {
        ...{ name: 'client:released', details: { client } },
        async check() {
          if ((await store.listBans()).some((ban) => ban.client === client)) return
          throw actionRefused(`${client} is not banned.`)
        },
        async perform() {
          await store.releaseClient(client)
          await countBans()
        },
      }),

    async tokenRevoked(tokenId) {
      const known = await store.listClients()
      for (const client of gateway.connected()) {
        if (known.find(({ id }) => id === client)?.tokenId !== tokenId) continue
        const reason: GraftError = tokenInvalid(client)
        const details = { problem: reason.problem }
        await store.audit({ actor: `client:${client}`, action: 'client:dismissed', details })
        dismiss(helm.steered?.session, gateway, client, reason)
      }
      board.changed('clients')
    },
  }
}
