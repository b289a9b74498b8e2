import type { QuarantineFiles } from '../../store/quarantine-files.ts'
import type { Store } from '../../store/store.ts'

/** What a board counts, as it is stored. */
export async function countNow(store: Store, quarantineFiles: Pick<QuarantineFiles, 'list'>) {
  const [clients, bans] = [await store.listClients(), await store.listBans()]
  return {
    known: clients.map(({ id }) => id),
    banned: bans.length,
    quarantined: (await quarantineFiles.list()).length,
  }
}
