import type { GraftError } from '../../shared/errors.ts'
import type { ClientId, RunId } from '../../shared/ids.ts'
import type { ReceivedUpdate } from '../gateway/gateway.ts'
import { type QuarantineFiles, quarantineName } from '../store/quarantine-files.ts'
import type { Federation } from './session.ts'

/** Keeps a refused upload for the operator, who reads the reason in the audit log. */
export async function quarantine(
  { store, quarantineFiles }: Pick<Federation, 'store' | 'quarantineFiles'>,
  { run, client }: { readonly run: RunId; readonly client: ClientId },
  {
    path,
    round,
    blob,
    seconds,
    isKept = false,
  }: Pick<ReceivedUpdate, 'path' | 'round' | 'blob' | 'seconds'> & { readonly isKept?: boolean },
  reason: GraftError,
): Promise<void> {
  const file = quarantineName(client, round, blob.id)
  const details = { run, round, file, code: reason.code, problem: reason.problem, seconds }
  // The reason first: a coordinator killed in between leaves no file that nobody can explain.
  await store.audit({ actor: `client:${client}`, action: 'update:quarantined', details })
  await (isKept ? quarantineFiles.copy(path, file) : quarantineFiles.move(path, file))
  await removeOldest(quarantineFiles, client)
}

/** Files kept of one client: what is refused over and over must not fill the disk. */
const MOST_QUARANTINED = 16

async function removeOldest(files: QuarantineFiles, client: ClientId): Promise<void> {
  const newestFirst = (await files.list(client)).sort((a, b) => b.at.getTime() - a.at.getTime())
  for (const { name } of newestFirst.slice(MOST_QUARANTINED)) await files.remove(name)
}
