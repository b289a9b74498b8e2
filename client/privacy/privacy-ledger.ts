import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { GraftError } from '../../shared/errors.ts'

/** What updates of a client have told already, over all its processes. */
export interface PrivacyLedger {
  /** Notes an update; on disk when it returns, so that none is sent that is not noted. */
  readonly add: (noise: number) => void
  /** Updates that are noted. */
  readonly releases: () => number
  /**
   * Updates with this noise that would tell as much as all that are noted: the Renyi divergence of a Gaussian mechanism goes
   * with 1 / noise^2, so that each counts (noise / its own)^2 times. Not a whole number, where noises differ.
   */
  readonly countAt: (noise: number) => number
}

interface Entry {
  readonly noise: number
  readonly releases: number
}

/** Of this process alone, or on top of what is known. @param save told of all there is, before it counts */
export function createPrivacyLedger(
  known: readonly Entry[] = [],
  save: (entries: readonly Entry[]) => void = () => undefined,
): PrivacyLedger {
  let entries = known
  return {
    add(noise) {
      const before = entries.find((entry) => entry.noise === noise)
      const others = entries.filter((entry) => entry !== before)
      const next = [...others, { noise, releases: (before?.releases ?? 0) + 1 }]
      save(next)
      entries = next
    },
    releases: () => entries.reduce((sum, { releases }) => sum + releases, 0),
    countAt: (noise) =>
      entries.reduce((sum, entry) => sum + entry.releases * (noise / entry.noise) ** 2, 0),
  }
}

/**
 * A file that is written anew with each update. One process at a time may use it.
 *
 * @throws GraftError GRAFT_FILE_UNREADABLE for a file that is there and is none of these: starting again at nothing would
 *   promise more than is true
 */
export function openPrivacyLedger(file: string): PrivacyLedger {
  return createPrivacyLedger(readEntries(file), (entries) => write(file, entries))
}

function readEntries(file: string): Entry[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw unreadable(file, error)
  }
  try {
    const { version, spent } = JSON.parse(text) as { version?: unknown; spent?: unknown }
    if (version === 1 && Array.isArray(spent) && spent.every(isEntry)) return spent
  } catch (error) {
    throw unreadable(file, error)
  }
  throw unreadable(file)
}

function isEntry(value: unknown): value is Entry {
  const { noise, releases } = (value ?? {}) as Partial<Entry>
  return typeof noise === 'number' && noise > 0 && Number.isInteger(releases) && releases! >= 0
}

/** Whole or not at all, and on disk. */
function write(file: string, spent: readonly Entry[]): void {
  try {
    mkdirSync(dirname(file), { recursive: true })
    const draft = `${file}.${process.pid}.tmp`
    const handle = openSync(draft, 'w')
    try {
      writeSync(handle, `${JSON.stringify({ version: 1, spent })}\n`)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    renameSync(draft, file)
  } catch (error) {
    throw unreadable(file, error)
  }
}

function unreadable(file: string, cause?: unknown): GraftError {
  const problem = `${file} is no ledger of --dp-ledger, or cannot be written.`
  return new GraftError('GRAFT_FILE_UNREADABLE', problem, { cause })
}
