import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { parseJournal } from '../../../server/coordinator/journal.ts'
import type { RoundEvent } from '../../../server/coordinator/round-state.ts'
import { openStore } from '../../../server/store/open-store.ts'
import type { RunId } from '../../../shared/ids.ts'

/** PostgreSQL's largest integer. */
const MOST_ENTRIES = 2 ** 31 - 1

/** What a coordinator that has ended left in its folder. */
export interface LeftBehind {
  readonly journal: readonly RoundEvent[]
  /** Names that were admitted. */
  readonly clients: readonly string[]
  /** Entries of the audit log, by what was done. */
  readonly audit: Readonly<Record<string, number>>
  /** Files in quarantine. */
  readonly quarantined: number
}

export async function readLeftBehind(home: string, run: RunId): Promise<LeftBehind> {
  const folder = join(home, 'coordinator')
  const store = await openStore({ databaseUrl: undefined, folder })
  try {
    const clients = await store.listClients()
    const audit: Record<string, number> = {}
    for (const { action } of await store.readAudit(MOST_ENTRIES)) {
      audit[action] = (audit[action] ?? 0) + 1
    }
    return {
      journal: parseJournal(await store.readJournal(run)).map(({ event }) => event),
      clients: clients.map(({ id }) => id),
      audit,
      quarantined: await countFiles(join(folder, 'quarantine')),
    }
  } finally {
    await store.close()
  }
}

/** Ids of the stored blobs, in order. */
export async function listBlobs(home: string): Promise<string[]> {
  const folder = join(home, 'coordinator', 'blobs')
  const files = await readdir(folder, { recursive: true, withFileTypes: true })
  return files
    .filter((file) => file.isFile())
    .map(({ parentPath, name }) => `${parentPath.slice(folder.length + 1)}${name}`)
    .sort()
}

async function countFiles(folder: string): Promise<number> {
  // There is none until something has been refused.
  return existsSync(folder) ? (await readdir(folder)).length : 0
}
