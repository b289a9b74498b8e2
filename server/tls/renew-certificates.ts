import { unwatchFile, watchFile } from 'node:fs'
import { type GraftError, toGraftError } from '../../shared/errors.ts'
import { readTlsContext, type TlsContext, type TlsFiles } from './tls-context.ts'

/** Milliseconds between two looks at a file. */
const LOOK_EVERY_MS = 5_000

export interface RenewalOptions {
  /** The files have changed, and are as they should be. */
  readonly onRenewed: (renewed: TlsContext) => void
  /** They have changed, and cannot be used: those of before stay in use. */
  readonly onFault: (error: GraftError) => void
  /** @default 5000 */
  readonly lookEveryMs?: number
}

/**
 * Looks out for renewed certificates, so that a coordinator need not be started again. By looking at the files again and
 * again: links and folders that are exchanged as a whole are noticed, too.
 *
 * @returns how to stop
 */
export function watchCertificates(
  { cert, key, clientCa }: TlsFiles,
  { onRenewed, onFault, lookEveryMs = LOOK_EVERY_MS }: RenewalOptions,
): () => void {
  const files = [cert, key, ...(clientCa === undefined ? [] : [clientCa])]
  const look = { interval: lookEveryMs, persistent: false }
  const renew = () => {
    readTlsContext({ cert, key, clientCa }).then(onRenewed, (error: unknown) => {
      onFault(toGraftError(error))
    })
  }
  for (const file of files) watchFile(file, look, renew)
  return () => {
    for (const file of files) unwatchFile(file, renew)
  }
}
