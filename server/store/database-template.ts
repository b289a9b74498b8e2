import { constants } from 'node:fs'
import { cp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { cacheFolder } from '../../shared/cache-folder.ts'
import { fillFolder, isFilled } from '../../shared/fill-folder.ts'

const MARKER = 'graft-database.json'

/**
 * Copies an empty database to `dataDir`, from one that this user's cache keeps: PGlite takes seconds to make
 * one (PostgreSQL's `initdb`), a copy takes a fraction of that. The first call makes what is kept.
 *
 * @param dataDir must not be there yet
 * @throws what the file system or PGlite throws; `dataDir` may then hold a part
 */
export async function copyTemplate(dataDir: string): Promise<void> {
  const template = await templateFolder()
  if (!isFilled(template, MARKER)) {
    await fillFolder(template, { marker: MARKER }, async (staging) => {
      const pglite = await PGlite.create({ dataDir: clusterOf(staging) })
      await pglite.close()
      return { madeAt: new Date().toISOString() }
    })
  }
  const mode = constants.COPYFILE_FICLONE
  await cp(clusterOf(template), dataDir, { recursive: true, errorOnExist: true, mode })
}

/** Removes what is kept: a copy of it did not open. */
export async function dropTemplate(): Promise<void> {
  await rm(await templateFolder(), { recursive: true, force: true })
}

const clusterOf = (folder: string): string => join(folder, 'cluster')

/** Another version of PGlite may hold another PostgreSQL, and never finds this one's. */
async function templateFolder(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite')
  const manifest = await readFile(join(dirname(entry), '..', 'package.json'), 'utf8')
  const { version } = JSON.parse(manifest) as { version: string }
  return join(cacheFolder(), 'databases', `pglite-${version}`)
}
