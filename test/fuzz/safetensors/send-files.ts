import { createHash } from 'node:crypto'
import type { Connection } from '../../../client/node/connection.ts'
import { ERRORS, GraftError } from '../../../shared/errors.ts'
import { Done, UploadOffset } from '../../../shared/protocol/messages.ts'
import { createRng, type Rng } from '../../../shared/numeric/rng.ts'
import { integer } from '../draw.ts'
import type { RunFacts } from '../run-facts.ts'
import type { Tally } from '../tally.ts'
import { drawFile } from './file-stream.ts'
import type { BadFile } from './kind.ts'

export interface FileAttack {
  readonly facts: RunFacts
  readonly seed: number
  readonly count: number
  /** Members of the cohort, whose updates are wanted. */
  readonly connections: readonly Connection[]
  readonly tally: Tally
  /** Called after each file. */
  onSent(): Promise<void> | void
  hasEnded(): boolean
}

const ACCEPTED = 'accepted'

/** Uploads malformed updates, one at a time on each connection, and judges every answer. */
export async function sendFiles(attack: FileAttack): Promise<void> {
  const { facts, seed, count, tally } = attack
  let next = 0
  await Promise.all(
    attack.connections.map(async (connection) => {
      while (next < count && !attack.hasEnded()) {
        const index = next++
        const { kind, file } = drawFile(seed, index, facts)
        const begun = performance.now()
        const outcome = await upload(
          connection,
          facts,
          file,
          createRng(`fuzz/${seed}/chunks/${index}`),
        )
        tally.count(kind, outcome, performance.now() - begun)
        if (!isFine(outcome, file)) {
          const detail = `file ${index} (${kind.group}: ${kind.name}) ended with ${outcome}`
          tally.violate('every malformed update is refused', detail)
          // The first update that was accepted stands: whatever this client sent next would be answered the same.
          if (outcome === ACCEPTED) return
        }
        await attack.onSent()
      }
    }),
  )
}

function isFine(outcome: string, { transfer }: BadFile): boolean {
  if (!Object.hasOwn(ERRORS, outcome)) return false
  if (transfer !== undefined) return outcome === transfer.code
  return ERRORS[outcome as keyof typeof ERRORS].status < 500
}

/** As a client uploads, in chunks of any size. @returns the code of the refusal, or what happened instead */
async function upload(
  connection: Connection,
  { update, file: valid }: RunFacts,
  { bytes, transfer }: BadFile,
  rng: Rng,
): Promise<string> {
  const { round, numExamples, classCounts } = update
  const announced = {
    round,
    sizeBytes: bytes.length,
    sha256: sha256(bytes),
    ...transfer?.announced,
  }
  const seconds = { train: 1, attribute: 1, upload: 1 }
  const commit = { round, numExamples, classCounts, seconds, ...transfer?.committed }
  const wanted = bytes.subarray(0, transfer?.sentBytes)
  try {
    let { offset } = await connection.request('update:begin', announced, UploadOffset)
    while (offset < wanted.length) {
      const chunk = wanted.subarray(offset, offset + 1 + integer(rng, valid.length))
      ;({ offset } = await connection.request(
        'update:chunk',
        { round, offset, chunk },
        UploadOffset,
      ))
    }
    await connection.request('update:commit', commit, Done)
    return ACCEPTED
  } catch (error) {
    return error instanceof GraftError ? error.code : String(error)
  }
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
