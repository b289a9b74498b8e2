import { BlobId, ClientId, RoundNumber, RunId } from '../../shared/ids.ts'
import { RunSettings } from '../../shared/protocol/run-settings.ts'
import {
  type Ban,
  type Client,
  type Model,
  Prisma,
  type Run,
  type Token,
} from './generated/client.ts'
import type { BanRecord, ClientRecord, ModelRecord, RunRecord, TokenRecord } from './store.ts'

// Rows as Prisma reads them, turned into records. Ids and settings are parsed, as at any edge: another
// program, or another version of this one, may have written them.

export function toRun({
  id,
  number,
  settings,
  status,
  createdAt,
}: Pick<Run, 'id' | 'number' | 'settings' | 'status' | 'createdAt'>): RunRecord {
  return { id: RunId.parse(id), number, settings: RunSettings.parse(settings), status, createdAt }
}

export function toModel({ runId, round, blob, report, ledger }: Model): ModelRecord {
  return {
    run: RunId.parse(runId),
    round: RoundNumber.parse(round),
    blob: BlobId.parse(blob),
    report,
    ledger,
  }
}

export function toToken({
  clientId,
  ...token
}: Omit<Token, 'secretHash' | 'previousHash' | 'previousUntil'>): TokenRecord {
  return { ...token, clientId: clientId === null ? null : ClientId.parse(clientId) }
}

export function toClient({ id, ...client }: Client): ClientRecord {
  return { ...client, id: ClientId.parse(id) }
}

export function toBan({ clientId, ...ban }: Ban): BanRecord {
  return { ...ban, client: ClientId.parse(clientId) }
}

/** A JSON value for a column; Prisma tells a JSON null from a missing value by a mark of its own. */
export function toJson(value: unknown): Prisma.InputJsonValue | typeof Prisma.JsonNull {
  if (value === null) return Prisma.JsonNull
  return JSON.parse(toText(value)) as Prisma.InputJsonValue
}

/** @throws TypeError when `value` has no JSON form, as `undefined` and functions */
export function toText(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined
  if (text === undefined) throw new TypeError(`${typeof value} is not a JSON value.`)
  return text
}
