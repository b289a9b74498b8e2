import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { GraftError } from '../../shared/errors.ts'
import type { ClientId, RunId } from '../../shared/ids.ts'
import type { ReceivedUpdate } from '../gateway/gateway.ts'
import type { Federation } from './session.ts'

/** Keeps a refused upload for the operator, who reads the reason in the audit log. */
export async function quarantine(
  { store, quarantineFolder }: Pick<Federation, 'store' | 'quarantineFolder'>,
  { run, client }: { readonly run: RunId; readonly client: ClientId },
  { path, round, blob, seconds }: Pick<ReceivedUpdate, 'path' | 'round' | 'blob' | 'seconds'>,
  reason: GraftError,
): Promise<void> {
  await mkdir(quarantineFolder, { recursive: true })
  const file = `${client}.${round}.${blob.id}.safetensors`
  const details = { run, round, file, code: reason.code, problem: reason.problem, seconds }
  // The reason first: a coordinator killed in between leaves no file that nobody can explain.
  await store.audit({ actor: `client:${client}`, action: 'update:quarantined', details })
  await rename(path, join(quarantineFolder, basename(file)))
  await removeOldest(quarantineFolder, client)
}

/** Files kept of one client: what is refused over and over must not fill the disk. */
const MOST_QUARANTINED = 16

async function removeOldest(folder: string, client: ClientId): Promise<void> {
  const files = (await readdir(folder)).filter((file) => clientOf(file) === client)
  if (files.length <= MOST_QUARANTINED) return
  const dated = files.map(async (file) => {
    const path = join(folder, file)
    return { path, at: (await stat(path)).mtimeMs }
  })
  const newestFirst = (await Promise.all(dated)).sort((a, b) => b.at - a.at)
  for (const { path } of newestFirst.slice(MOST_QUARANTINED)) await rm(path, { force: true })
}

/** A client's name may have dots, too. */
function clientOf(file: string): string | undefined {
  return /^(.+)\.\d+\.[0-9a-f]{64}\.safetensors$/.exec(file)?.[1]
}
