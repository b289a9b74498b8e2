import { appendFileSync, closeSync, fsyncSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const facts = {
  run: z.string(),
  round: z.int(),
  client: z.string(),
  /** Of the bytes of the update. */
  sha256: z.string(),
  /** Milliseconds since 1970. */
  at: z.number(),
}

/** What a client wrote down of one of its updates. */
const ClientRecord = z.discriminatedUnion('type', [
  /** Before the first byte; `isHonest` is false for an update that must be refused. */
  z.strictObject({ type: z.literal('sent'), isHonest: z.boolean(), ...facts }),
  z.strictObject({ type: z.literal('acknowledged'), ...facts }),
  z.strictObject({ type: z.literal('refused'), code: z.string(), problem: z.string(), ...facts }),
  /** A refusal that the client answers by sending again. */
  z.strictObject({
    type: z.literal('sent again'),
    code: z.string(),
    problem: z.string(),
    ...facts,
  }),
])
export type ClientRecord = z.infer<typeof ClientRecord>

export interface RecordFile {
  /** On disk when it returns. */
  write(record: ClientRecord): void
  close(): void
}

/** A file of its own for each client; a process that was killed may have left lines in it. */
export function openRecords(folder: string, client: string): RecordFile {
  const file = openSync(join(folder, `${client}.jsonl`), 'a')
  // Behind what a kill may have cut short.
  appendFileSync(file, '\n')
  return {
    write(record) {
      appendFileSync(file, `${JSON.stringify(record)}\n`)
      fsyncSync(file)
    },
    close: () => closeSync(file),
  }
}

/** Records of all clients, each client's in the order of writing. A line that a kill cut short was never written. */
export function readRecords(folder: string): ClientRecord[] {
  return readdirSync(folder).flatMap((name) =>
    readFileSync(join(folder, name), 'utf8')
      .split('\n')
      .flatMap((line) => {
        const value = parsed(line)
        return value === null ? [] : [ClientRecord.parse(value)]
      }),
  )
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}
