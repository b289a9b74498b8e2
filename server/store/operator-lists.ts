import { BlobId, ClientId, RoundNumber, RunId } from '../../shared/ids.ts'
import { RunSettings } from '../../shared/protocol/run-settings.ts'
import { Prisma, type PrismaClient } from './generated/client.ts'
import type {
  ClientRound,
  ListedEvent,
  ListedModel,
  ListedRun,
  OperatorLists,
} from './operator-store.ts'
import type { Answer } from './sessions.ts'

const { sql } = Prisma
const ALL = sql`TRUE`

/** Lists read straight from the tables: reports are cut down where they are, not after they were carried over. */
export function createOperatorLists(
  prisma: Pick<PrismaClient, 'audit' | '$queryRaw'>,
  answer: Answer,
): OperatorLists {
  const query = <Row>(statement: Prisma.Sql): Promise<Row[]> =>
    answer(prisma.$queryRaw<Row[]>(statement))

  const runs = (where: Prisma.Sql, limit: number) =>
    query<RunRow>(sql`
      SELECT r."id", r."number", r."settings", r."status"::text AS "status",
        r."created_at" AS "createdAt", r."failure",
        (SELECT count(*)::int FROM "model" m WHERE m."run_id" = r."id") AS "rounds",
        (SELECT m."report"->'published' FROM "model" m WHERE m."run_id" = r."id"
          ORDER BY m."round" DESC LIMIT 1) AS "published"
      FROM "run" r WHERE ${where} ORDER BY r."number" DESC LIMIT ${limit}`)

  const models = async (where: Prisma.Sql, limit: number) => {
    const rows = await query<ModelRow>(sql`
      SELECT m."run_id" AS "run", r."number" AS "runNumber", m."round", m."blob",
        m."created_at" AS "createdAt", m."report"->'published' AS "published"
      FROM "model" m JOIN "run" r ON r."id" = m."run_id"
      WHERE ${where} ORDER BY r."number" DESC, m."round" DESC LIMIT ${limit}`)
    return rows.map(toListedModel)
  }

  const modelColumn = async (column: Prisma.Sql, run: RunId, round: RoundNumber) => {
    const [row] = await query<{ value: unknown }>(sql`
      SELECT ${column} AS "value" FROM "model"
      WHERE "run_id" = ${run}::uuid AND "round" = ${round}`)
    return row?.value ?? null
  }

  return {
    runs: async ({ status, before, limit }) => {
      const isOfStatus = status === undefined ? ALL : sql`r."status"::text = ${status}`
      const isBehind = before === undefined ? ALL : sql`r."number" < ${before}`
      return (await runs(sql`${isOfStatus} AND ${isBehind}`, limit)).map(toListedRun)
    },

    run: async (id) => {
      const [row] = await runs(sql`r."id" = ${id}::uuid`, 1)
      return row === undefined ? null : toListedRun(row)
    },

    rounds: async ({ run, after, limit }) => {
      const rows = await query<{ summary: unknown }>(sql`
        SELECT json_build_object(
          'round', m."round",
          'cohort', m."report"->'cohort', 'uploads', m."report"->'uploads',
          'fused', m."report"->'fused', 'tuned', m."report"->'tuned',
          'published', m."report"->'published', 'controls', m."report"->'controls',
          'seconds', m."report"->'seconds', 'bytes', m."report"->'bytes',
          'bestParent', (
            SELECT max((parent->>'accuracy')::float8)
            FROM json_array_elements(m."report"->'parents') AS parent)
        ) AS "summary"
        FROM "model" m WHERE m."run_id" = ${run}::uuid AND m."round" > ${after}
        ORDER BY m."round" LIMIT ${limit}`)
      return rows.map(({ summary }) => summary)
    },

    report: (run, round) => modelColumn(sql`"report"`, run, round),
    ledger: (run, round) => modelColumn(sql`"ledger"`, run, round),

    events: async ({ after, limit }) => {
      const isBehind =
        after === null ? ALL : sql`(r."number", j."seq") > (${after.runNumber}, ${after.seq})`
      const rows = await query<EventRow>(sql`
        SELECT j."run_id" AS "run", r."number" AS "runNumber", j."seq", j."at", j."event"
        FROM "journal_event" j JOIN "run" r ON r."id" = j."run_id"
        WHERE ${isBehind} ORDER BY r."number", j."seq" LIMIT ${limit}`)
      return rows.map(({ run, ...row }): ListedEvent => ({ ...row, run: RunId.parse(run) }))
    },

    models: ({ run, before, limit }) => {
      const isOfRun = run === undefined ? ALL : sql`m."run_id" = ${run}::uuid`
      const isBehind =
        before === undefined
          ? ALL
          : sql`(r."number", m."round") < (${before.runNumber}, ${before.round})`
      return models(sql`${isOfRun} AND ${isBehind}`, limit)
    },

    modelsOf: (blob) => models(sql`m."blob" = ${blob}`, 1000),

    clientRounds: async ({ client, before, limit }) => {
      const isBehind =
        before === undefined
          ? ALL
          : sql`(r."number", m."round") < (${before.runNumber}, ${before.round})`
      const rows = await query<ClientRoundRow>(sql`
        SELECT m."run_id" AS "run", r."number" AS "runNumber", m."round", parent AS "parent",
          (SELECT (said->>'accuracy')::float8
            FROM json_array_elements(COALESCE(m."report"->'evaluations', '[]'::json)) AS said
            WHERE said->>'client' = ${client} LIMIT 1) AS "evaluation"
        FROM "model" m JOIN "run" r ON r."id" = m."run_id",
          json_array_elements(m."report"->'parents') AS parent
        WHERE parent->>'client' = ${client} AND ${isBehind}
        ORDER BY r."number" DESC, m."round" DESC LIMIT ${limit}`)
      return rows.map(({ run, round, ...row }): ClientRound => ({
        ...row,
        run: RunId.parse(run),
        round: RoundNumber.parse(round),
      }))
    },

    contributions: async (after) => {
      const isBehind =
        after === null ? ALL : sql`(r."number", m."round") > (${after.runNumber}, ${after.round})`
      const rows = await query<{ client: string; contribution: number }>(sql`
        SELECT parent->>'client' AS "client", (parent->>'contribution')::float8 AS "contribution"
        FROM json_array_elements((
          SELECT m."report"->'parents' FROM "model" m JOIN "run" r ON r."id" = m."run_id"
          WHERE ${isBehind} AND EXISTS (
            SELECT FROM json_array_elements(m."report"->'parents') AS one
            WHERE one->>'contribution' IS NOT NULL)
          ORDER BY r."number" DESC, m."round" DESC LIMIT 1)) AS parent
        WHERE parent->>'contribution' IS NOT NULL`)
      return new Map(rows.map((row) => [ClientId.parse(row.client), row.contribution]))
    },

    audit: ({ actor, action, since, until, before, limit }) =>
      answer(
        prisma.audit.findMany({
          where: {
            ...(actor !== undefined && { actor }),
            ...(action !== undefined && { action }),
            at: { ...(since && { gte: since }), ...(until && { lt: until }) },
            ...(before !== undefined && { id: { lt: before } }),
          },
          orderBy: { id: 'desc' },
          take: limit,
        }),
      ),
  }
}

interface RunRow extends Omit<ListedRun, 'id' | 'settings'> {
  readonly id: string
  readonly settings: unknown
}

interface ModelRow extends Omit<ListedModel, 'run' | 'round' | 'blob'> {
  readonly run: string
  readonly round: number
  readonly blob: string
}

interface EventRow extends Omit<ListedEvent, 'run'> {
  readonly run: string
}

interface ClientRoundRow extends Omit<ClientRound, 'run' | 'round'> {
  readonly run: string
  readonly round: number
}

function toListedRun({ id, settings, ...row }: RunRow): ListedRun {
  return { ...row, id: RunId.parse(id), settings: RunSettings.parse(settings) }
}

function toListedModel({ run, round, blob, ...row }: ModelRow): ListedModel {
  return {
    ...row,
    run: RunId.parse(run),
    round: RoundNumber.parse(round),
    blob: BlobId.parse(blob),
  }
}
