import type { ClientId } from '../../shared/ids.ts'

/** Tasks of one client run one after the other, those of different clients beside each other. */
export interface ClientQueues {
  /** Runs behind the client's earlier tasks, whether they failed or not. */
  run<Result>(client: ClientId, task: () => Promise<Result>): Promise<Result>
  /** Resolves once no task is left; never rejects. */
  idle(): Promise<void>
}

export function createClientQueues(): ClientQueues {
  const tails = new Map<ClientId, Promise<unknown>>()
  return {
    async run(client, task) {
      const result = (tails.get(client) ?? Promise.resolve()).then(task)
      const tail = result.catch(() => undefined)
      tails.set(client, tail)
      try {
        return await result
      } finally {
        if (tails.get(client) === tail) tails.delete(client)
      }
    },
    async idle() {
      while (tails.size > 0) await Promise.all(tails.values())
    },
  }
}
