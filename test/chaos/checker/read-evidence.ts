import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { RunSettings } from '../../../shared/protocol/run-settings.ts'
import { readRecords } from '../client-records.ts'
import { WRITTEN_TABLE } from '../journal-watch.ts'
import type { Evidence } from './evidence.ts'

export interface Places {
  /** Folder with blobs and quarantine. */
  readonly home: string
  /** Folders of the coordinators, with their models. */
  readonly homes: readonly string[]
  /** Folder of the clients' records. */
  readonly records: string
  /** Asks the coordinator's database. */
  query(sql: string): Promise<Record<string, unknown>[]>
}

/** Reads everything from disk and database, with none of the coordinator's own code in between. */
export async function readEvidence({ home, homes, records, query }: Places): Promise<Evidence> {
  const runs = await query('SELECT id, status, settings FROM run ORDER BY number')
  const journal = await query(`
    SELECT j.run_id, j.seq, j.event, j.at,
           round(extract(epoch FROM w.at) * 1000, 3)::float8 AS written
    FROM journal_event j LEFT JOIN ${WRITTEN_TABLE} w ON w.run_id = j.run_id AND w.seq = j.seq
    ORDER BY j.run_id, j.seq`)
  const models = await query('SELECT run_id, round, blob, report FROM model ORDER BY round')
  const audit = await query('SELECT actor, action, details FROM audit ORDER BY id')
  const blobs = await hashFiles(join(home, 'blobs'), (path) => path.split('/').slice(-2).join(''))
  const rows = journal as {
    run_id: string
    seq: number
    event: unknown
    at: Date
    written: number
  }[]
  return {
    runs: runs.map(({ id, status, settings }) => ({
      ...{ id: String(id), status: String(status) },
      ...RunSettings.parse(settings),
    })),
    journal: rows.map(({ run_id, written, ...row }) => ({
      ...row,
      run: run_id,
      writtenAt: written,
    })),
    models: models.map(({ run_id, round, blob, report }) => ({
      ...{ run: String(run_id), round: Number(round), blob: String(blob) },
      parents: (report as { parents: { client: string }[] }).parents.map(({ client }) => client),
    })),
    audit: audit as unknown as Evidence['audit'],
    blobs,
    ledgers: await readLedgers(home, rows),
    quarantine: (await filesIn(join(home, 'quarantine'))).map((path) => basename(path)),
    modelFiles: new Map((await Promise.all(homes.map(modelsIn))).flat()),
    records: readRecords(records),
  }
}

async function modelsIn(home: string): Promise<[number, string][]> {
  const files = await hashFiles(join(home, 'models'), (path) => basename(path))
  return [...files].flatMap(([name, hash]): [number, string][] => {
    const round = /^round-(\d+)\.safetensors$/.exec(name)?.[1]
    return round === undefined ? [] : [[Number(round), hash]]
  })
}

async function readLedgers(home: string, rows: readonly { event: unknown }[]) {
  const ledgers = new Map<string, readonly string[]>()
  for (const { event } of rows) {
    const { fused } = event as { fused?: { ledger?: string } }
    const id = fused?.ledger
    if (id === undefined) continue
    try {
      const text = await readFile(join(home, 'blobs', id.slice(0, 2), id.slice(2)), 'utf8')
      ledgers.set(id, (JSON.parse(text) as { parents: string[] }).parents)
    } catch {
      // One that is missing or spoilt names nobody, which is found.
    }
  }
  return ledgers
}

async function hashFiles(folder: string, nameOf: (path: string) => string) {
  const hashes = new Map<string, string>()
  for (const path of await filesIn(folder)) {
    // Drafts have no name yet.
    if (path.startsWith(join(folder, 'tmp'))) continue
    hashes.set(
      nameOf(path),
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
    )
  }
  return hashes
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true })
    return entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
