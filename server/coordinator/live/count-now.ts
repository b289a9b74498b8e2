import { readdir } from 'node:fs/promises'
import type { Store } from '../../store/store.ts'

/** What a board counts, as it is stored. */
export async function countNow(store: Store, quarantineFolder: string) {
  const [clients, bans] = [await store.listClients(), await store.listBans()]
  return {
    known: clients.map(({ id }) => id),
    banned: bans.length,
    quarantined: await countFiles(quarantineFolder),
  }
}

/** A folder that nothing was put in yet is not there. */
async function countFiles(folder: string): Promise<number> {
  try {
    return (await readdir(folder)).length
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
}
