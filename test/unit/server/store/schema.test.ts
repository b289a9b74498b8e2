import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PGlite } from '@electric-sql/pglite'
import { findMigrationsFolder, readMigrations } from '../../../../server/store/find-migrations.ts'
import * as generated from '../../../../server/store/generated/client.ts'
import type { Role } from '../../../../shared/protocol/operator/role.ts'
import type { RunStatus, TokenKind } from '../../../../server/store/store.ts'

/** The compiler demands every member of the union here, and no other. */
const ENUMS = {
  run_status: {
    queued: true,
    running: true,
    paused: true,
    finished: true,
    failed: true,
    stopped: true,
  } satisfies Record<RunStatus, true>,
  token_kind: { join: true, client: true, operator: true } satisfies Record<TokenKind, true>,
  operator_role: { viewer: true, operator: true, admin: true } satisfies Record<Role, true>,
}

describe('prisma/schema.prisma', () => {
  it('should have the members of the store’s unions in its enums', () => {
    expect(Object.keys(generated.$Enums.RunStatus)).toEqual(Object.keys(ENUMS.run_status))
    expect(Object.keys(generated.$Enums.TokenKind)).toEqual(Object.keys(ENUMS.token_kind))
    expect(Object.keys(generated.$Enums.OperatorRole)).toEqual(Object.keys(ENUMS.operator_role))
  })
})

describe('prisma/migrations', () => {
  let pglite: PGlite

  beforeAll(async () => {
    pglite = await PGlite.create()
    for (const { sql } of await readMigrations(findMigrationsFolder())) await pglite.exec(sql)
  })

  afterAll(() => pglite.close())

  it.each(Object.entries(ENUMS))(
    'should have the members of %s in the database',
    async (name, members) => {
      const { rows } = await pglite.query(
        `SELECT enumlabel FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid
       WHERE typname = $1 ORDER BY enumsortorder`,
        [name],
      )
      expect(rows.map((row) => (row as { enumlabel: string }).enumlabel)).toEqual(
        Object.keys(members),
      )
    },
  )

  it('should have made exactly the columns that the schema names', async () => {
    const { rows } = await pglite.query<{ name: string }>(
      `SELECT table_name || '.' || column_name AS name FROM information_schema.columns
       WHERE table_schema = 'public'`,
    )
    expect(rows.map(({ name }) => name).sort()).toEqual(columnsOfSchema())
  })
})

/** `table.column` of every scalar field, from the very schema the client was generated from. */
function columnsOfSchema(): string[] {
  const { Prisma } = generated
  const scalars = {
    Run: Prisma.RunScalarFieldEnum,
    JournalEvent: Prisma.JournalEventScalarFieldEnum,
    Model: Prisma.ModelScalarFieldEnum,
    Token: Prisma.TokenScalarFieldEnum,
    Ban: Prisma.BanScalarFieldEnum,
    Client: Prisma.ClientScalarFieldEnum,
    Leadership: Prisma.LeadershipScalarFieldEnum,
    Audit: Prisma.AuditScalarFieldEnum,
    OperatorSession: Prisma.OperatorSessionScalarFieldEnum,
    SignInLink: Prisma.SignInLinkScalarFieldEnum,
    OperatorRequest: Prisma.OperatorRequestScalarFieldEnum,
  } satisfies Record<generated.Prisma.ModelName, Record<string, string>>
  return Object.entries(scalars)
    .flatMap(([model, fields]) =>
      Object.keys(fields).map((field) => `${snakeCase(model)}.${snakeCase(field)}`),
    )
    .sort()
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replace(/^_/, '')
}
