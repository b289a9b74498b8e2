import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openEmbeddedDatabase } from '../../server/store/embedded-database.ts'
import { openStore } from '../../server/store/open-store.ts'
import { SETTINGS } from '../support/store-settings.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'

describe('embedded store', () => {
  const open = (folder: string) => openStore({ databaseUrl: undefined, folder })

  it('should make its folder, say where it is, and let no one else in until it closes', async () => {
    await using root = await createTemporaryFolder()
    const home = join(root.path, 'new', 'home')
    const store = await open(home)
    const { id } = await store.createRun(SETTINGS)

    expect(store.description).toBe(`PGlite in ${join(home, 'db')}`)
    await expect(open(home)).rejects.toThrow(
      new RegExp(`in use by process ${process.pid}\\..*GRAFT_DATABASE_BUSY`),
    )
    await store.close()
    const again = await open(home)
    expect((await again.unfinishedRun())?.id).toBe(id)
    await again.close()
  })

  it('should refuse to change or delete what the audit log holds', async () => {
    await using root = await createTemporaryFolder()
    const store = await open(root.path)
    await store.audit({ actor: 'coordinator', action: 'test:noted', details: null })
    await store.close()

    const database = await openEmbeddedDatabase(root.path)
    await database.withSession(async (session) => {
      for (const change of [`UPDATE "audit" SET "actor" = ''`, `DELETE FROM "audit"`]) {
        await expect(session.execute(change), change).rejects.toThrow('append-only')
      }
      expect(await session.query(`SELECT * FROM "audit"`)).toHaveLength(1)
    })
    await database.close()
  })

  it('should say so when the database does not open, and let go of the lock', async () => {
    await using root = await createTemporaryFolder()
    await writeFile(join(root.path, 'db'), 'not a folder')

    for (const attempt of [1, 2]) {
      await expect(open(root.path), `attempt ${attempt}`).rejects.toMatchObject({
        code: 'GRAFT_DATABASE_UNAVAILABLE',
      })
    }
  })

  it('should refuse a database that a newer version made, and let go of the lock', async () => {
    await using root = await createTemporaryFolder()
    await (await open(root.path)).close()
    const database = await openEmbeddedDatabase(root.path)
    await database.withSession((session) =>
      session.execute(
        `INSERT INTO "_prisma_migrations" ("id", "checksum", "migration_name", "finished_at")
         VALUES ('x', 'x', '29990101000000_future', now())`,
      ),
    )
    await database.close()

    for (const attempt of [1, 2]) {
      await expect(open(root.path), `attempt ${attempt}`).rejects.toMatchObject({
        code: 'GRAFT_DATABASE_INCOMPATIBLE',
      })
    }
  })
})
