import { createServer } from 'node:net'
import { join } from 'node:path'
import { parseOptions } from '../shared/command/command.ts'
import { ENGINE_OPTION } from '../shared/command/common-options.ts'
import type { DatasetSpec } from '../shared/data/dataset-spec.ts'
import { DATASETS, loadDataset, megabytes } from '../shared/data/datasets.ts'
import { diagnoseEngines } from '../shared/engine/diagnose.ts'
import { startEngine } from '../shared/engine/engine.ts'
import { ERRORS, toGraftError } from '../shared/errors.ts'
import { lockHome } from './store/lock-home.ts'
import { openStore } from './store/open-store.ts'
import {
  bucketShelf,
  folderShelf,
  type Places,
  repairBlobs,
  type RepairReport,
} from './store/repair.ts'
import type { Bucket } from './store/s3/bucket.ts'
import { copiesFolder, loadBucket } from './store/s3/load-bucket.ts'
import type { BucketPlace } from './store/s3/objects.ts'

/** One thing that was looked at. */
export interface Finding {
  /** problem: Graft cannot run; note: it can, but not as well as it could. */
  readonly status: 'ok' | 'note' | 'problem'
  readonly subject: string
  /** One sentence with what was found. */
  readonly detail: string
  /** One sentence: what to do. */
  readonly remedy?: string
}

export interface Place {
  readonly port: number
  readonly home: string
  readonly databaseUrl: string | undefined
  /** Null: blobs are in a folder. */
  readonly bucketPlace: BucketPlace | null
}

/** Node's first release with everything Graft uses; as in package.json's engines. */
const OLDEST_NODE = [20, 19]

/** Looks at everything that a coordinator or client on this machine needs. */
export async function diagnose(place: Place): Promise<Finding[]> {
  return [
    findNode(),
    await findEngine(),
    ...(await findEngines()),
    ...(await findDatasets()),
    await findDatabase(place),
    ...(place.bucketPlace === null ? [] : [await findBucket(place.bucketPlace)]),
    await findPort(place.port),
  ]
}

/**
 * Checks what is kept of runs, and removes what none of them names.
 *
 * @throws GraftError GRAFT_HOME_BUSY, GRAFT_LEADERSHIP_TAKEN while a coordinator runs
 */
export async function mend({
  home,
  shared = home,
  databaseUrl,
  bucketPlace,
}: Omit<Place, 'port'> & { readonly shared: string | undefined }): Promise<Finding[]> {
  const lock = await lockHome(home)
  let bucket: Bucket | null = null
  try {
    bucket = bucketPlace && (await loadBucket(bucketPlace))
    const store = await openStore({ databaseUrl, folder: home })
    const { signal } = new AbortController()
    const leadership = await store
      .lead({ holder: `graft doctor, pid ${process.pid}`, isStandby: false, signal })
      .catch(async (error: unknown) => {
        await store.close()
        throw error
      })
    try {
      const uploads = join(home, 'uploads')
      const folder = join(shared, 'blobs')
      const places =
        bucket === null
          ? { shelf: folderShelf(folder), drafts: join(folder, 'tmp'), uploads }
          : ofBucket(bucket, home, uploads)
      return describeRepair(await repairBlobs(store, places))
    } finally {
      await leadership.release()
      await store.close()
    }
  } finally {
    bucket?.close()
    await lock.release()
  }
}

function ofBucket(bucket: Bucket, home: string, uploads: string): Places {
  const copies = copiesFolder(home)
  return { shelf: bucketShelf(bucket), drafts: join(copies, 'tmp'), copies, uploads }
}

function describeRepair(report: RepairReport): Finding[] {
  const { intact, orphans, leftovers, copies, corrupt, missing } = report
  const subject = 'blobs'
  const removed = [
    [orphans, 'Named by no run'],
    [leftovers, 'Left by broken-off writes and uploads'],
    [copies, 'Copies of what is in the bucket'],
  ] as const
  return [
    { status: 'ok', subject, detail: `Whole, and named by a run: ${intact}.` },
    ...removed.flatMap(([files, which]): Finding[] => {
      if (files.length === 0) return []
      const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
      const detail = `${which}, removed: ${files.length} (${(bytes / 1e6).toFixed(1)} MB).`
      return [{ status: 'note', subject, detail }]
    }),
    ...corrupt.map((id) => broken(`${id} is another file than its name says.`)),
    ...missing.map((id) => broken(`${id} is missing.`)),
  ]

  function broken(detail: string): Finding {
    return { status: 'problem', subject, detail, remedy: ERRORS.GRAFT_BLOB_CORRUPT.remedy }
  }
}

function findNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE
  const isOld = major < oldestMajor || (major === oldestMajor && minor < oldestMinor)
  const detail = `Node.js ${process.versions.node} on ${process.platform} ${process.arch}.`
  if (!isOld) return { status: 'ok', subject: 'node', detail }
  const remedy = `Install Node.js ${OLDEST_NODE.join('.')} or newer.`
  return { status: 'problem', subject: 'node', detail, remedy }
}

async function findEngine(): Promise<Finding> {
  const subject = 'engine'
  try {
    const { engine } = parseOptions({ engine: ENGINE_OPTION }, {})
    const { name, version, reason } = await startEngine(engine)
    return { status: 'ok', subject, detail: `In use: ${name} ${version}. ${reason}` }
  } catch (error) {
    return problem(subject, error)
  }
}

async function findEngines(): Promise<Finding[]> {
  return (await diagnoseEngines()).map(({ name, usable, detail, remedy }) => ({
    status: usable ? 'ok' : 'note',
    subject: name,
    detail,
    ...(remedy !== undefined && { remedy }),
  }))
}

async function findDatasets(): Promise<Finding[]> {
  return Promise.all(
    Object.entries<DatasetSpec>(DATASETS).map(async ([name, spec]): Promise<Finding> => {
      // Looking must not download anything.
      if (!(await spec.isHere())) return absent(name, spec)
      try {
        const { train, test } = await loadDataset(name)
        const detail = `${train.labels.length} examples to train, ${test.labels.length} to test.`
        return { status: 'ok', subject: name, detail }
      } catch (error) {
        return problem(name, error)
      }
    }),
  )
}

function absent(name: string, spec: DatasetSpec): Finding {
  return {
    status: 'note',
    subject: name,
    detail: `Not in the cache; ${megabytes(spec)} are fetched when it is first used.`,
    remedy: `Run \`graft data fetch ${name}\` while this machine is connected.`,
  }
}

async function findDatabase({ home, databaseUrl }: Place): Promise<Finding> {
  try {
    const store = await openStore({ databaseUrl, folder: home })
    await store.close()
    return { status: 'ok', subject: 'database', detail: `${store.description}.` }
  } catch (error) {
    return problem('database', error)
  }
}

async function findBucket(place: BucketPlace): Promise<Finding> {
  try {
    const bucket = await loadBucket(place)
    bucket.close()
    return { status: 'ok', subject: 'blobs', detail: `${bucket.description} can be listed.` }
  } catch (error) {
    return problem('blobs', error)
  }
}

async function findPort(port: number): Promise<Finding> {
  const server = createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, '127.0.0.1', resolve)
    })
    return { status: 'ok', subject: 'port', detail: `${port} is free.` }
  } catch (error) {
    return { ...problem('port', error), status: 'note' }
  } finally {
    server.close()
  }
}

function problem(subject: string, error: unknown): Finding {
  const { code, problem: detail } = toGraftError(error)
  return { status: 'problem', subject, detail, remedy: ERRORS[code].remedy }
}
