import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { issueAuthority, issueClient, type Issued, issueServer } from '../../server/certs/issue.ts'
import { createTemporaryFolder } from './temporary-folder.ts'

const DAY_MS = 86_400_000

/** A private authority with its files in a folder of its own. */
export async function createTestAuthority(name = 'Test') {
  const folder = await createTemporaryFolder()
  const authority = await issueAuthority(name, { days: 1000, now: daysFromNow(-500) })
  const ca = await write('ca', authority)

  async function write(file: string, { certificate, key }: Issued) {
    const files = {
      cert: join(folder.path, `${file}.pem`),
      key: join(folder.path, `${file}-key.pem`),
    }
    await writeFile(files.key, key, { mode: 0o600 })
    await writeFile(files.cert, certificate)
    return files
  }

  return {
    folder: folder.path,
    /** File with its certificate. */
    ca: ca.cert,
    /** @param from days from now at which it begins to be valid, for one day */
    server: async (hosts: readonly [string, ...string[]], { from = 0, file = 'server' } = {}) =>
      write(file, await issueServer(authority, hosts, { days: 1, now: daysFromNow(from) })),
    client: async (name: string, { from = 0 } = {}) =>
      write(
        `client-${name}`,
        await issueClient(authority, name, { days: 1, now: daysFromNow(from) }),
      ),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

function daysFromNow(days: number): Date {
  return new Date(Date.now() + days * DAY_MS)
}
