import { defineConfig } from 'prisma/config'

// `prisma generate` needs no schema engine but wants one to exist, and downloads it when none does.
// Naming any existing file spares the download, so generating works where only npm can be reached.
if (process.argv.includes('generate')) {
  process.env['PRISMA_SCHEMA_ENGINE_BINARY'] ??= process.execPath
}

const url = process.env['DATABASE_URL']

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  ...(url === undefined ? {} : { datasource: { url } }),
})
