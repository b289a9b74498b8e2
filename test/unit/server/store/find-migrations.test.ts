import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findMigrationsFolder, readMigrations } from '../../../../server/store/find-migrations.ts'
import { createTemporaryFolder } from '../../../support/temporary-folder.ts'

describe('findMigrationsFolder', () => {
  it('should find the folder from the sources and from compiled code one folder deeper', async () => {
    await using root = await createTemporaryFolder()
    const migrations = join(root.path, 'prisma', 'migrations')
    await mkdir(migrations, { recursive: true })

    for (const place of ['server/store', 'dist/server/store']) {
      expect(findMigrationsFolder(join(root.path, place))).toBe(migrations)
    }
    expect(findMigrationsFolder()).toBe(join(process.cwd(), 'prisma', 'migrations'))
  })

  it('should say so when there is none', async () => {
    await using root = await createTemporaryFolder()

    expect(() => findMigrationsFolder(root.path)).toThrow('prisma/migrations is missing')
  })
})

describe('readMigrations', () => {
  it('should read folders in the order of their names, with the checksum of the file', async () => {
    await using root = await createTemporaryFolder()
    await writeFile(join(root.path, 'migration_lock.toml'), 'provider = "postgresql"')
    for (const name of ['2_b', '1_a']) {
      await mkdir(join(root.path, name))
      await writeFile(join(root.path, name, 'migration.sql'), `-- ${name}`)
    }

    expect(await readMigrations(root.path)).toEqual(
      ['1_a', '2_b'].map((name) => ({ name, sql: `-- ${name}`, checksum: sha256(`-- ${name}`) })),
    )
  })

  it('should read the migrations of this repository byte for byte', async () => {
    const folder = findMigrationsFolder()
    for (const { name, checksum } of await readMigrations(folder)) {
      const bytes = await readFile(join(folder, name, 'migration.sql'))
      expect(checksum).toBe(sha256(bytes))
      expect(name).toMatch(/^\d{14}_[a-z_]+$/)
    }
  })
})

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}
