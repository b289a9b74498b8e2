import { readdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runGraft, startGraft } from '../support/graft-process.ts'
import { mountingForbidden, mountSmallDisk } from '../support/small-disk.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'

const NOWHERE = ['--server', 'http://127.0.0.1:9', '--token', 'x'.repeat(20), '--shard', '0/2']

describe('every failure of a command', () => {
  it.each([
    {
      case: 'a wrong option',
      words: ['simulate', '--rounds', 'many'],
      status: 2,
      says: /--rounds "many" is not allowed: .*\(GRAFT_OPTION_INVALID\)/,
    },
    {
      case: 'an unknown option',
      words: ['simulate', '--round', '3'],
      status: 2,
      says: /unknown option '--round'.*\(GRAFT_OPTION_INVALID\)/,
    },
    {
      case: 'an unknown command',
      words: ['fusion'],
      status: 2,
      says: /unknown command 'fusion'.*\(GRAFT_OPTION_INVALID\)/,
    },
    {
      case: 'an unknown data set',
      words: ['coordinator', '--dataset', 'mnits'],
      status: 2,
      says: /no data set "mnits".*mnist.*\(GRAFT_DATASET_UNKNOWN\)/,
    },
    {
      case: 'an unknown strategy',
      words: ['coordinator', '--strategy', 'nt:tree=flat'],
      status: 2,
      says: /tree=flat.*hierarchical.*\(GRAFT_STRATEGY_UNKNOWN\)/,
    },
    {
      case: 'an impossible partition',
      words: ['coordinator', '--partition', 'labels:11'],
      status: 2,
      says: /labels:11|11 classes.*\(GRAFT_/,
    },
    {
      case: 'an unknown model',
      words: ['coordinator', '--model', 'resnet99'],
      status: 2,
      says: /resnet99.*\(GRAFT_ARCHITECTURE_INVALID\)/,
    },
    {
      case: 'an unreachable server',
      words: ['client', ...NOWHERE, '--retry', '0.5'],
      status: 3,
      says: /127\.0\.0\.1:9.*\(GRAFT_SERVER_UNREACHABLE\)/,
    },
    {
      case: 'listening without TLS',
      words: ['coordinator', '--host', '0.0.0.0'],
      status: 2,
      says: /0\.0\.0\.0.*\(GRAFT_INSECURE_LISTEN\)/,
    },
    {
      case: 'a database that is not there',
      words: ['coordinator', '--database', 'postgres://someone:secret@127.0.0.1:9/graft'],
      status: 5,
      says: /127\.0\.0\.1:9.*\(GRAFT_DATABASE_UNAVAILABLE\)/,
    },
  ])('should say $case in one line and leave nothing behind', async ({ words, status, says }) => {
    await using folder = await createTemporaryFolder()
    const home = words[0] === 'client' ? [] : ['--home', join(folder.path, 'home')]
    const finished = await runGraft([...words, ...home])
    expect(finished.stderr).toMatch(/^graft: .*\(GRAFT_[A-Z_]+\)\n$/)
    expect(finished.stderr).toMatch(says)
    expect(finished.stderr).not.toContain('secret')
    expect(finished.status).toBe(status)
    expect(await filesIn(folder.path)).toEqual([])
  })

  it('should say that a port is busy', async () => {
    await using folder = await createTemporaryFolder()
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const words = ['coordinator', '--port', String(port), '--home', folder.path]
    const finished = await runGraft(words)
    server.close()
    expect(finished.stderr).toMatch(new RegExp(`^graft: .*${port}.*\\(GRAFT_PORT_BUSY\\)\\n$`))
    expect(finished.status).toBe(5)
  })

  it('should refuse a bad token', async () => {
    await using folder = await createTemporaryFolder()
    await using coordinator = startGraft(['coordinator', '--port', '0', '--home', folder.path])
    const [url] = await coordinator.printed(/http:\/\/127\.0\.0\.1:\d+/)
    const words = ['client', '--server', url, '--token', 'not-a-token', '--shard', '0/2']
    const finished = await runGraft(words)
    expect(finished.stderr).toMatch(/^graft: .*\(GRAFT_TOKEN_INVALID\)\n$/)
    expect(finished.status).toBe(4)
  })

  it('should end a command cleanly on Ctrl-C', async () => {
    await using folder = await createTemporaryFolder()
    await using coordinator = startGraft(['coordinator', '--port', '0', '--home', folder.path])
    await coordinator.printed(/http:\/\/127\.0\.0\.1:\d+/)
    coordinator.child.kill('SIGINT')
    const { status, stderr } = await coordinator.finished
    expect({ status, stderr }).toEqual({ status: 130, stderr: '' })
    // Its database was closed: the next one opens it.
    await using next = startGraft(['coordinator', '--port', '0', '--home', folder.path])
    await next.printed(/http:\/\/127\.0\.0\.1:\d+/)
  })

  it.skipIf(mountingForbidden() !== null)(
    'should keep nothing half-written on a full disk',
    async () => {
      await using folder = await createTemporaryFolder()
      // Not even room for the database.
      using disk = mountSmallDisk(folder.path, '2m')
      const words = ['coordinator', '--port', '0', '--home', folder.path]
      const finished = await runGraft(words)
      expect(finished.stderr).toMatch(/^graft: .* has no space left\..*\(GRAFT_DISK_FULL\)\n$/)
      expect(finished.status).toBe(5)
      expect(await filesIn(folder.path)).toEqual([])

      disk.resize('200m')
      await using next = startGraft(words)
      await next.printed(/http:\/\/127\.0\.0\.1:\d+/)
    },
  )
})

// Helpers

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name)
}
