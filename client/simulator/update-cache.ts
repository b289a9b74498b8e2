import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import { readJson } from '../../shared/command/read-json.ts'
import type { ExampleSet } from '../../shared/data/example-set.ts'
import { compareIds } from '../../shared/ids.ts'
import { GRAFT_VERSION } from '../../shared/protocol/graft-version.ts'
import type { LocalTask, MadeUpdate, Participant } from '../node/round.ts'

/** Rounds whose updates are kept: the strategies of a study have the same global model in the first alone. */
const LAST_KEPT_ROUND = 1
/** Examples whose inputs are in memory at a time. */
const EXAMPLES_AT_ONCE = 256

/**
 * Settings of a run that say what happens to an update behind its upload, and so nothing of what it is. A
 * setting that is not named here is part of the key: a new one trains anew, and never too little.
 */
const OF_THE_COORDINATOR = new Set([
  'strategy',
  'tune',
  'publish',
  'quorum',
  'goal',
  'deadlineSeconds',
  'rounds',
  'targetAccuracy',
  'controls',
])

/** Fields of an invitation that say which run asks, and how long it waits. */
const OF_THE_RUN = new Set(['run', 'deadlineSeconds'])

/** What an update comes from: another run with the same key would make the same bytes. */
export function updateKey({ joined, data, invitation, proxy }: LocalTask, engine: string): string {
  const settings = Object.entries(joined.settings).filter(([name]) => !OF_THE_COORDINATOR.has(name))
  const asked = Object.entries(invitation).filter(([name]) => !OF_THE_RUN.has(name))
  const facts = {
    graft: GRAFT_VERSION,
    engine,
    client: joined.clientId,
    settings: settings.sort(byName),
    // The global model and the proxy set by their hashes, and the round.
    asked: asked.sort(byName),
    proxy: proxy !== undefined,
    data: hashOfExamples(data.train),
  }
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex')
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return compareIds(a, b)
}

export interface UpdateCacheOptions {
  readonly folder: string
  readonly engine: string
  /** Told of each update that was not made again. */
  readonly onReused: (task: LocalTask) => void
}

/**
 * Keeps updates in a folder by what they come from, so that the runs of a study which train the same train
 * once. A client uploads what it finds there as if it had made it, with the seconds that it took then.
 */
export function reuseUpdates(
  { folder, engine, onReused }: UpdateCacheOptions,
  participant: Participant,
): Participant {
  const { work } = participant

  async function makeUpdate(...given: Parameters<typeof work.makeUpdate>): Promise<MadeUpdate> {
    const [task] = given
    if (task.invitation.round > LAST_KEPT_ROUND) return work.makeUpdate(...given)
    const file = join(folder, updateKey(task, engine))
    const kept = await read(file)
    if (kept !== null) {
      onReused(task)
      return kept
    }
    const made = await work.makeUpdate(...given)
    await write(file, made)
    return made
  }

  return { ...participant, work: { ...work, makeUpdate } }
}

/** What is beside the bytes of a kept update. */
interface Note {
  readonly sha256: string
  readonly seconds: MadeUpdate['seconds']
}

/** @returns null where there is none, or it is damaged */
async function read(file: string): Promise<MadeUpdate | null> {
  const note = (await readJson(`${file}.json`)) as Note | undefined
  if (note === undefined) return null
  const bytes = await readFile(`${file}.safetensors`).catch(() => null)
  if (bytes === null || hash(bytes) !== note.sha256) return null
  return { bytes, seconds: note.seconds }
}

/** The note last: without it there is nothing, whenever the process is killed. */
async function write(file: string, { bytes, seconds }: MadeUpdate): Promise<void> {
  await mkdir(join(file, '..'), { recursive: true })
  await writeFileAtomic(`${file}.safetensors`, Buffer.from(bytes))
  const note: Note = { sha256: hash(bytes), seconds }
  await writeFileAtomic(`${file}.json`, JSON.stringify(note))
}

const hashes = new WeakMap<ExampleSet, string>()

/** Inputs, labels and shapes; of a set that does not change. */
function hashOfExamples(examples: ExampleSet): string {
  const known = hashes.get(examples)
  if (known !== undefined) return known
  const { inputShape, numClasses, labels } = examples
  const digest = createHash('sha256').update(JSON.stringify({ inputShape, numClasses }))
  digest.update(new Uint8Array(labels.buffer, labels.byteOffset, labels.byteLength))
  for (let from = 0; from < labels.length; from += EXAMPLES_AT_ONCE) {
    const length = Math.min(EXAMPLES_AT_ONCE, labels.length - from)
    const { buffer, byteOffset, byteLength } = examples.inputs(
      Array.from({ length }, (_, place) => from + place),
    )
    digest.update(new Uint8Array(buffer, byteOffset, byteLength))
  }
  const found = digest.digest('hex')
  hashes.set(examples, found)
  return found
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
