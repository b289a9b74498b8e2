import { access, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import { GraftError, toGraftError } from '../../shared/errors.ts'
import { type KeyPair, readKeyPair } from '../../shared/tls/certificate-file.ts'
import type { Issued } from './issue.ts'

/** Where a certificate and its key lie. */
export interface PairFiles {
  readonly certificate: string
  readonly key: string
}

/** e.g. `certs/ca.pem` and `certs/ca-key.pem`. */
export function filesOf(folder: string, name: string): PairFiles {
  return { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}-key.pem`) }
}

/**
 * Refuses what would be overwritten; before anything is made.
 * @throws GraftError GRAFT_OPTION_INVALID
 */
export async function assertIsFree({ certificate, key }: PairFiles): Promise<void> {
  for (const file of [key, certificate]) {
    const isThere = await access(file).then(
      () => true,
      () => false,
    )
    if (!isThere) continue
    const problem = `${file} is there already: give --replace to make another, or another --dir.`
    throw new GraftError('GRAFT_OPTION_INVALID', problem)
  }
}

/**
 * Writes a certificate for all to read and its key for its owner alone; the folder, when it is new, is the owner's alone too.
 * Each file appears whole: a coordinator that serves the pair picks it up when both are there.
 *
 * @throws GraftError GRAFT_FILE_UNREADABLE, GRAFT_DISK_FULL
 */
export async function writePair(folder: string, files: PairFiles, issued: Issued): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeFileAtomic(files.key, `${issued.key.trim()}\n`, { mode: 0o600 })
    await writeFileAtomic(files.certificate, `${issued.certificate.trim()}\n`, { mode: 0o644 })
  } catch (error) {
    throw toGraftError(error)
  }
}

/** @throws GraftError GRAFT_OPTION_INVALID when there is none; what reading it throws */
export async function readAuthority(folder: string): Promise<Issued> {
  const files = filesOf(folder, 'ca')
  let pair: KeyPair
  try {
    pair = await readKeyPair(files.certificate, files.key)
  } catch (error) {
    if (!(error instanceof GraftError) || error.code !== 'GRAFT_FILE_UNREADABLE') throw error
    const problem = `There is no authority in ${folder}: make one with \`graft certs ca --dir ${folder}\`.`
    throw new GraftError('GRAFT_OPTION_INVALID', problem, { cause: error })
  }
  return { certificate: pair.cert, key: pair.key }
}
