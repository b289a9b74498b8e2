import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { EngineChoice } from '../../../shared/engine/engine.ts'
import { TOY_MODEL, toyTable } from './toy-table.ts'

export const JOIN_TOKEN = 'a-join-token-for-the-fuzzer'

/**
 * What the coordinator under attack is started with: one round on a toy table, whose deadline is far, so that it
 * stays open until the last member has sent its update.
 */
export async function coordinatorWords(
  home: string,
  { clients, engine }: { readonly clients: number; readonly engine: EngineChoice },
): Promise<string[]> {
  const table = join(home, 'toy.csv')
  await writeFile(table, toyTable(400))
  return [
    ...['--data', table, '--model', TOY_MODEL, '--clients', String(clients)],
    ...['--quorum', '2', '--deadline', '86400', '--scores', 'uniform', '--proxy', '80'],
    ...['--tune-epochs', '2', '--seed', '7', '--engine', engine],
    ...['--home', join(home, 'coordinator'), '--join-token', JOIN_TOKEN],
  ]
}
