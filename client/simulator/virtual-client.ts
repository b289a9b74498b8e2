import { setTimeout as delay } from 'node:timers/promises'
import { EXIT, ERRORS, GraftError } from '../../shared/errors.ts'
import { RoundNumber } from '../../shared/ids.ts'
import type { FaultPlan } from '../../shared/protocol/fault-plan.ts'
import { GRAFT_VERSION } from '../../shared/protocol/graft-version.ts'
import type { FaultEvent } from '../../shared/protocol/simulation-report.ts'
import { connect, type News } from '../node/connection.ts'
import { createMailbox } from '../node/mailbox.ts'
import { type NodeOptions, runNode } from '../node/node.ts'
import type { Participant } from '../node/round.ts'
import { BEFORE_ROUNDS, drawFaults } from './faults/draw-faults.ts'
import { createMisfortune, Left } from './faults/faulty-client.ts'
import { startRelay } from './faults/relay.ts'

/** A node as the simulator runs it: it has a name, and can be ended. */
export type VirtualClient = NodeOptions & Required<Pick<NodeOptions, 'name' | 'signal' | 'equip'>>

export interface Fate {
  readonly plan: FaultPlan
  /** Seed of a plan that has none. */
  readonly seed: number
  readonly tell: (event: FaultEvent) => void
}

/**
 * A client of a simulation from its start to its end, with what the plan has in store for it. Between it
 * and the coordinator is a relay that breaks where the plan says; all else is the client as it is.
 */
export async function runVirtualClient(client: VirtualClient, fate: Fate): Promise<void> {
  const { plan, seed, tell } = fate
  const { name, signal } = client
  const round = RoundNumber.parse(BEFORE_ROUNDS)
  for (const late of drawFaults(plan, { client: name, round, seed })) {
    if (late.fault !== 'late') continue
    tell({ client: name, round, fault: 'late', detail: `connects after ${late.seconds} s` })
    await delay(late.seconds * 1000, undefined, { signal })
  }

  const relay = await startRelay(client.servers[0]!)
  const misfortune = createMisfortune({ plan, relay, tell })
  try {
    for (;;) {
      const left = await runOnce({ ...client, servers: [relay.url] }, misfortune.strike)
      if (left === null || left.back === 'never') return
      if (left.back === 'next-round' && (await isRunOver(client, left.round))) return
    }
  } catch (error) {
    // The contract of an update of another shape: its client ends with the refusal.
    const fatal = misfortune.fatalRound()
    if (fatal === null || !isRefusal(error)) throw error
    const detail = `ends: ${error.problem}`
    tell({ client: name, round: fatal, fault: 'corrupt', detail, isGone: true })
  } finally {
    relay.close()
  }
}

/** @returns null when the run is finished, else how the client left it */
async function runOnce(
  client: VirtualClient,
  strike: (participant: Participant, leave: (reason: Left) => void) => Participant,
): Promise<Left | null> {
  const leaving = new AbortController()
  try {
    await runNode({
      ...client,
      equip: (participant) =>
        strike(client.equip(participant), (reason) => {
          leaving.abort(reason)
        }),
      signal: AbortSignal.any([client.signal, leaving.signal]),
    })
    return null
  } catch (error) {
    if (error instanceof Left) return error
    throw error
  }
}

/**
 * Connects without joining, and waits for the end of a round: who has left is told of it as everybody is,
 * so that no clock decides when it comes back.
 *
 * @returns whether the whole run is over
 */
async function isRunOver(client: VirtualClient, round: RoundNumber): Promise<boolean> {
  const { servers, token, name, engineName: engine, retrySeconds = 30, signal } = client
  const news = createMailbox<News>()
  const auth = { token, version: GRAFT_VERSION, engine, name }
  const connection = connect({ servers, auth, retrySeconds, onNews: news.put })
  try {
    for (;;) {
      const message = await news.take(AbortSignal.any([signal, connection.over]))
      if (message.type === 'run:finished') return true
      const isEnd = message.type === 'round:published' || message.type === 'round:failed'
      if (isEnd && message.round >= round) return false
    }
  } finally {
    connection.close()
  }
}

function isRefusal(error: unknown): error is GraftError {
  return error instanceof GraftError && ERRORS[error.code].exit === EXIT.refused
}
