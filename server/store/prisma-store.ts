import { randomUUID } from 'node:crypto'
import { GraftError } from '../../shared/errors.ts'
import { BlobId, RunId } from '../../shared/ids.ts'
import { groupWrites } from './group-writes.ts'
import { createSerialQueue } from './serial-queue.ts'
import type { Database } from './database.ts'
import { toDatabaseError } from './database-error.ts'
import { type Client, Prisma, type Run } from './generated/client.ts'
import { toBan, toClient, toJson, toModel, toRun, toText, toToken } from './rows.ts'
import { createOperatorLists } from './operator-lists.ts'
import { createRequests } from './requests.ts'
import { createSessions, createSignInLinks } from './sessions.ts'
import { type Leader, leadershipLost, type LeadershipTable, takeLeadership } from './leadership.ts'
import { createPrismaClient } from './prisma-client.ts'
import type { AuditEntry, RunStatus, Store } from './store.ts'
import { hashSecret } from './token.ts'

/**
 * The store over any database that Prisma reaches. Each method is one statement, so none needs a
 * transaction or a retry: whatever two processes do at once, the database orders it by row locks.
 *
 * Of a store that leads, each write locks the row of the leader for reading: the next leader raises its epoch behind
 * the writes that are under way, and those that come later find another one there and do nothing.
 *
 * Takes ownership of `database`: closing the store closes it.
 */
export function createPrismaStore(database: Database): Store {
  const prisma = createPrismaClient(database)
  const journal = createSerialQueue()
  const answer = <Result>(statement: Promise<Result>): Promise<Result> =>
    statement.catch((error: unknown) => {
      throw toDatabaseError(error, database.description)
    })

  let epoch: number | null = null
  /** Holds where this store may write: always, when it does not lead. */
  const fence = () =>
    epoch === null
      ? Prisma.sql`SELECT 1`
      : Prisma.sql`SELECT 1 FROM "leadership" WHERE "epoch" = ${epoch} FOR SHARE`
  const readLeader = async (): Promise<Leader | null> =>
    answer(prisma.leadership.findFirst({ select: { epoch: true, holder: true } }))
  /** Why a fenced write has written nothing. */
  async function refusal(run: RunId): Promise<Error> {
    const leader = await readLeader()
    return epoch !== null && leader?.epoch !== epoch ? leadershipLost(leader) : unknownRun(run)
  }
  /** @param failure JSON; null of a run that has not failed */
  async function writeStatus(run: RunId, status: RunStatus, failure: string | null): Promise<void> {
    const count = await answer(
      prisma.$executeRaw`
        WITH fence AS (${fence()})
        UPDATE "run" SET "status" = ${status}::run_status, "failure" = ${failure}::json
        WHERE "id" = ${run}::uuid AND EXISTS (SELECT 1 FROM fence)`,
    )
    if (count === 0) throw await refusal(run)
  }
  const leaders: LeadershipTable = {
    read: readLeader,
    raise: async (holder) => {
      const rows = await answer(
        prisma.$queryRaw<{ epoch: number }[]>`
          INSERT INTO "leadership" AS last ("id", "epoch", "holder", "since")
          VALUES (1, 1, ${holder}, ${new Date()})
          ON CONFLICT ("id") DO UPDATE
          SET "epoch" = last."epoch" + 1, "holder" = excluded."holder", "since" = excluded."since"
          RETURNING "epoch"`,
      )
      return rows[0]!.epoch
    },
  }

  const readAudit = (where: { action?: string }, limit: number) =>
    answer(
      prisma.audit.findMany({
        where,
        select: { at: true, actor: true, action: true, details: true },
        orderBy: { id: 'desc' },
        take: limit,
      }),
    )

  // Raising lastSeq locks the run's row until the events are in: seqs have no gaps, in any process.
  // The queue only keeps the order of this process's calls, which connections of a pool would not.
  const appendEvents = (run: RunId, events: readonly unknown[]): Promise<number> =>
    journal.add(run, async () => {
      const rows = await answer(
        prisma.$queryRaw<{ seq: number }[]>`
          WITH fence AS (${fence()}),
          next AS (
            UPDATE "run" SET "last_seq" = "last_seq" + ${events.length}
            WHERE "id" = ${run}::uuid AND EXISTS (SELECT 1 FROM fence)
            RETURNING "id", "last_seq"
          ),
          written AS (
            INSERT INTO "journal_event" ("run_id", "seq", "event", "at")
            SELECT "id", "last_seq" - ${events.length} + "number"::int, "event", ${new Date()}
            FROM next, json_array_elements(${textOf(events)}::json) WITH ORDINALITY AS given("event", "number")
            RETURNING "seq"
          )
          SELECT max("seq") AS "seq" FROM written HAVING count(*) > 0`,
      )
      if (rows[0] === undefined) throw await refusal(run)
      return rows[0].seq
    })

  const audit = groupWrites((entries: readonly Omit<AuditEntry, 'at'>[]) => {
    const data = entries.map(({ details, ...entry }) => ({ ...entry, details: toJson(details) }))
    return answer(prisma.audit.createMany({ data }).then(() => undefined))
  })

  let closing: Promise<void> | undefined
  async function close(): Promise<void> {
    await journal.settled()
    await prisma.$disconnect()
    await database.close()
  }

  return {
    description: database.description,

    lead: async (as) => {
      const taken = await takeLeadership(database, leaders, as).catch((error: unknown) => {
        throw toDatabaseError(error, database.description)
      })
      epoch = taken.epoch
      return taken.leadership
    },

    createRun: async (settings) => {
      const id = RunId.parse(randomUUID())
      const rows = await answer(
        prisma.$queryRaw<Run[]>`
          WITH fence AS (${fence()})
          INSERT INTO "run" ("id", "settings", "created_at")
          SELECT ${id}::uuid, ${toText(settings)}::json, ${new Date()} FROM fence
          RETURNING "id", "number", "settings", "status"::text AS "status", "created_at" AS "createdAt"`,
      )
      if (rows[0] === undefined) throw await refusal(id)
      return toRun(rows[0])
    },

    queueRun: async (id, settings) => {
      const rows = await answer(
        prisma.$queryRaw<unknown[]>`
          WITH fence AS (${fence()}),
          queued AS (
            INSERT INTO "run" ("id", "settings", "status", "created_at")
            SELECT ${id}::uuid, ${toText(settings)}::json, 'queued'::run_status, ${new Date()} FROM fence
            ON CONFLICT ("id") DO NOTHING
          )
          SELECT 1 FROM fence`,
      )
      if (rows.length === 0) throw await refusal(id)
    },

    unfinishedRun: async () => {
      const row = await answer(
        prisma.run.findFirst({
          where: { status: { in: ['running', 'paused'] } },
          orderBy: { number: 'desc' },
        }),
      )
      return row === null ? null : toRun(row)
    },

    queuedRun: async () => {
      const row = await answer(
        prisma.run.findFirst({ where: { status: 'queued' }, orderBy: { number: 'asc' } }),
      )
      return row === null ? null : toRun(row)
    },

    setRunStatus: (run, status) => writeStatus(run, status, null),
    failRun: (run, { code, problem }) => writeStatus(run, 'failed', toText({ code, problem })),

    listRuns: async () =>
      (await answer(prisma.run.findMany({ orderBy: { number: 'asc' } }))).map(toRun),

    appendEvent: (run, event) => appendEvents(run, [event]),
    appendEvents,

    // A coordinator that was killed may have left a statement that the database is still at: it does not
    // notice. That statement holds the run's row, so behind this lock its event is written or never will be.
    readJournal: async (run) => {
      await answer(prisma.$queryRaw`SELECT 1 FROM "run" WHERE "id" = ${run}::uuid FOR SHARE`)
      const select = { seq: true, event: true, at: true } as const
      const where = { runId: run }
      return answer(prisma.journalEvent.findMany({ where, select, orderBy: { seq: 'asc' } }))
    },

    // Saving a model again replaces it: a coordinator that died between saving and journalling does.
    saveModel: async ({ run, round, blob, report, ledger }) => {
      const ledgerText = ledger === null ? null : toText(ledger)
      const count = await answer(
        prisma.$executeRaw`
          WITH fence AS (${fence()})
          INSERT INTO "model" ("run_id", "round", "blob", "report", "ledger")
          SELECT ${run}::uuid, ${round}, ${blob}, ${toText(report)}::json, ${ledgerText}::json FROM fence
          ON CONFLICT ("run_id", "round") DO UPDATE
          SET "blob" = excluded."blob", "report" = excluded."report", "ledger" = excluded."ledger"`,
      )
      if (count === 0) throw await refusal(run)
    },

    readModel: async (run, round) => {
      const where = { runId_round: { runId: run, round } }
      const row = await answer(prisma.model.findUnique({ where }))
      return row === null ? null : toModel(row)
    },

    // Where the texts are: of a long run they are more than a process should read for a few ids.
    namedBlobs: async (run, { withoutUpdatesUpTo: upTo }) => {
      const rows = await answer(
        prisma.$queryRaw<{ id: string }[]>`
          SELECT DISTINCT found[1] AS "id" FROM (
            SELECT regexp_matches("event"::text, ${ANY_BLOB}, 'g') AS found
            FROM "journal_event" WHERE "run_id" = ${run}::uuid
              AND CASE "event"->>'type' WHEN 'update-received'
                THEN (("event"->>'round')::int <= ${upTo}) IS NOT TRUE ELSE TRUE END
            UNION ALL
            SELECT regexp_matches("blob" || ' ' || "report"::text, ${ANY_BLOB}, 'g')
            FROM "model" WHERE "run_id" = ${run}::uuid
          ) AS "text"`,
      )
      return rows.map(({ id }) => BlobId.parse(id))
    },

    createToken: async ({ secret, role, ...token }) => {
      const as = token.kind === 'operator' ? (role ?? 'admin') : null
      const data = { ...token, role: as, secretHash: hashSecret(secret) }
      const creation = prisma.token.create({ data })
      return toToken(await answer(creation.catch(refuseKnownSecret)))
    },

    findToken: async (secret) => {
      const row = await answer(
        prisma.token.findFirst({
          where: {
            revokedAt: null,
            AND: [
              { OR: [{ expiresAt: null }, { expiresAt: { gt: new Date() } }] },
              {
                OR: [
                  { secretHash: hashSecret(secret) },
                  { previousHash: hashSecret(secret), previousUntil: { gt: new Date() } },
                ],
              },
            ],
          },
        }),
      )
      return row === null ? null : toToken(row)
    },

    listTokens: async () => {
      const orderBy = [{ createdAt: 'asc' }, { id: 'asc' }] as const
      const rows = await answer(prisma.token.findMany({ orderBy: [...orderBy] }))
      return rows.map(toToken)
    },

    revokeToken: async (id) => {
      if (!UUID.test(id)) return false
      // Revoked already: it keeps the time of the first revocation.
      const { count } = await answer(
        prisma.token.updateMany({
          where: { id, revokedAt: null },
          data: { revokedAt: new Date() },
        }),
      )
      return count > 0 || (await answer(prisma.token.count({ where: { id } }))) > 0
    },

    rotateToken: async (id, { secret, previousUntil }) => {
      if (!UUID.test(id)) return null
      const count = await answer(
        prisma.$executeRaw`
          UPDATE "token" SET "previous_hash" = "secret_hash", "previous_until" = ${previousUntil},
            "secret_hash" = ${hashSecret(secret)}
          WHERE "id" = ${id}::uuid AND "revoked_at" IS NULL
            AND ("expires_at" IS NULL OR "expires_at" > ${new Date()})`,
      )
      if (count === 0) return null
      return toToken(await answer(prisma.token.findUniqueOrThrow({ where: { id } })))
    },

    admitClient: async ({ id, tokenId, version, engine }) => {
      const now = new Date()
      const rows = await answer(
        prisma.$queryRaw<Client[]>`
          INSERT INTO "client" AS known ("id", "token_id", "version", "engine", "last_seen_at")
          VALUES (${id}, ${tokenId}::uuid, ${version}, ${engine}, ${now})
          ON CONFLICT ("id") DO UPDATE
          SET "token_id" = excluded."token_id", "version" = excluded."version",
              "engine" = excluded."engine", "last_seen_at" = excluded."last_seen_at"
          WHERE known."token_id" = excluded."token_id" OR NOT EXISTS (
            SELECT 1 FROM "token" WHERE "token"."id" = known."token_id"
            AND "revoked_at" IS NULL AND ("expires_at" IS NULL OR "expires_at" > ${now})
          )
          RETURNING "id", "token_id" AS "tokenId", "version", "engine",
                    "last_seen_at" AS "lastSeenAt"`,
      )
      if (rows[0] === undefined) {
        throw new GraftError('GRAFT_CLIENT_NAME_TAKEN', `Another token joined as ${id} before.`)
      }
      return toClient(rows[0])
    },

    listClients: async () =>
      (await answer(prisma.client.findMany({ orderBy: { id: 'asc' } }))).map(toClient),

    banClient: async ({ client, by, reason }) => {
      const ban = { clientId: client, by, reason }
      await answer(prisma.ban.createMany({ data: [ban], skipDuplicates: true }))
    },

    releaseClient: async (client) => {
      const { count } = await answer(prisma.ban.deleteMany({ where: { clientId: client } }))
      return count > 0
    },

    listBans: async () =>
      (await answer(prisma.ban.findMany({ orderBy: { clientId: 'asc' } }))).map(toBan),

    audit,

    readAudit: (limit) => readAudit({}, limit),
    readAuditOf: (action, limit) => readAudit({ action }, limit),

    sessions: createSessions(prisma, answer),
    signInLinks: createSignInLinks(prisma, answer),
    requests: createRequests(prisma, answer),
    lists: createOperatorLists(prisma, answer),

    close: () => (closing ??= close()),
  }
}

/** A JSON array of values that have a JSON form each. */
const textOf = (values: readonly unknown[]): string => `[${values.map(toText).join(',')}]`

/** PostgreSQL refuses to compare a uuid with any other text; such text is just no id of ours. */
/** 64 hex digits that are no part of more. */
const ANY_BLOB = '(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])'
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Only a secret that someone chose can be there twice; it may have been revoked, so it is not reused. */
function refuseKnownSecret(error: unknown): never {
  const isDuplicate =
    error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002'
  if (!isDuplicate) throw error
  throw new GraftError('GRAFT_TOKEN_INVALID', 'There is, or was, another token with this secret.', {
    cause: error,
  })
}

function unknownRun(run: RunId): RangeError {
  return new RangeError(`The store has no run ${run}.`)
}
