import type { ClientId } from '../../../shared/ids.ts'
import type { ClientLane } from '../../../shared/protocol/operator/live.ts'
import type { ClientResource } from '../../../shared/protocol/operator/resources.ts'
import type { ApiContext } from '../api-context.ts'
import type { Contributions } from '../contributions.ts'
import type { ClientTally } from '../client-tally.ts'

/** What is worked out of the rounds so far, and remembered. */
export interface ClientSources {
  readonly tally: ClientTally
  readonly contributions: Contributions
}

/** Every client that has ever joined, by id, from all that is known of it. */
export async function readClients(
  { connected, operations, store }: ApiContext,
  { tally, contributions }: ClientSources,
): Promise<ClientResource[]> {
  const [clients, tokens, bans, facts, brought] = await Promise.all([
    store.listClients(),
    store.listTokens(),
    store.listBans(),
    tally.read(),
    contributions.read(),
  ])
  const labels = new Map(tokens.map(({ id, label }) => [id, label]))
  const banned = new Map(bans.map((ban) => [ban.client, ban]))
  const lanes = new Map<ClientId, ClientLane>(operations.lanes().map((it) => [it.client, it]))
  const here = new Set(connected())
  return clients.map(({ id, tokenId, version, engine, lastSeenAt }) => {
    const isConnected = here.has(id)
    const known = facts.get(id)
    const ban = banned.get(id)
    return {
      id,
      isConnected,
      state: lanes.get(id)?.state ?? (isConnected ? 'ready' : 'away'),
      version,
      engine,
      lastSeenAt: lastSeenAt.toISOString(),
      tokenId,
      tokenLabel: labels.get(tokenId) ?? '',
      numExamples: known?.numExamples ?? null,
      classCounts: known?.classCounts ?? null,
      ban: ban === undefined ? null : { at: ban.at.toISOString(), by: ban.by, reason: ban.reason },
      roundsInvited: known?.roundsInvited ?? 0,
      roundsAccepted: known?.roundsAccepted ?? 0,
      contribution: brought.get(id) ?? null,
    }
  })
}
