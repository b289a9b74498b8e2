import type { RunReport } from '../../shared/protocol/run-report.ts'

/** Training examples of one client, by class. */
export interface Holding {
  readonly client: string
  readonly counts: readonly number[]
}

/** Of every client that was in any round, as it was in the first of them; by name, numbers in it by size. */
export function holdingsOf({ rounds }: RunReport): Holding[] {
  const found = new Map<string, readonly number[]>()
  for (const { client, classCounts } of rounds.flatMap(({ parents }) => parents)) {
    if (classCounts !== undefined && !found.has(client)) found.set(client, classCounts)
  }
  const inOrder = [...found].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
  return inOrder.map(([client, counts]) => ({ client, counts }))
}
