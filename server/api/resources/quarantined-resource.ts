import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { type ErrorCode, ERRORS } from '../../../shared/errors.ts'
import { BlobId, ClientId, RoundNumber } from '../../../shared/ids.ts'
import type { QuarantinedResource } from '../../../shared/protocol/operator/resources.ts'
import type { ApiContext } from '../api-context.ts'

/** As `coordinator/quarantine.ts` names them; a client's name may have dots, too. */
const FILE = /^(.+)\.(\d+)\.([0-9a-f]{64})\.safetensors$/

const Reason = z.object({
  code: z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]),
  problem: z.string(),
})

/** Uploads that were set aside, with the reasons that the audit log has. */
export async function readQuarantine({
  store,
  operations,
  quarantineFolder,
}: Pick<ApiContext, 'store' | 'operations' | 'quarantineFolder'>): Promise<QuarantinedResource[]> {
  const files = (await filesIn(quarantineFolder)).filter((file) => FILE.test(file))
  const entries = await store.lists.quarantined(files)
  const reasons = new Map(entries.map((it) => [(it.details as { file: string }).file, it]))
  const { round } = operations.federation()
  const found = files.map(async (file): Promise<QuarantinedResource | null> => {
    const [, client, ofRound, sha256] = FILE.exec(file)!
    const info = await stat(join(quarantineFolder, file)).catch(() => null)
    // Removed in between.
    if (info === null) return null
    const entry = reasons.get(file)
    const reason = Reason.safeParse(entry?.details)
    return {
      id: file,
      client: ClientId.parse(client),
      round: RoundNumber.parse(Number(ofRound)),
      sha256: BlobId.parse(sha256),
      sizeBytes: info.size,
      at: (entry?.at ?? info.mtime).toISOString(),
      code: reason.data?.code ?? 'GRAFT_INTERNAL',
      problem: reason.data?.problem ?? 'The audit log does not say why.',
      canRelease: round?.phase === 'collecting' && round.round === Number(ofRound),
    }
  })
  return (await Promise.all(found)).filter((it) => it !== null)
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
