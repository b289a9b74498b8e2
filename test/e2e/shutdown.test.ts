import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { RunReport } from '../../shared/protocol/run-report.ts'
import { createTestDatabase, postgresMissing } from '../support/database.ts'
import { freePort } from '../support/free-port.ts'
import { type Running, startGraft } from '../support/graft-process.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'

const RUN = [
  ['--model', 'mlp:784-16-10', '--clients', '2', '--rounds', '1'],
  ['--examples-per-client', '200', '--proxy', '200', '--controls', 'last'],
  ['--local-epochs', '1', '--tune-epochs', '2'],
].flat()
const TOKEN = 'a-join-token-for-these-tests'

const noPostgres = await postgresMissing()

describe('graft coordinator that is told to end', () => {
  it('should end well in the middle of a round, which goes on when it is started again', async () => {
    await using setting = await createSetting()
    await using first = setting.startCoordinator('a')
    await first.printed(/Listening on/)
    await using early = setting.startClient('0/2')
    await using late = setting.startClient('1/2')
    await stopBetweenUpdates(first, late)
    await early.printed(/the coordinator goes away; looking for it/)
    const ended = await first.finished
    expect({ status: ended.status, stderr: ended.stderr }).toEqual({ status: 0, stderr: '' })
    // What is not in the journal was not acknowledged.
    expect(ended.stdout).not.toContain('client-1: uploaded')

    await using second = setting.startCoordinator('a')
    const { status, stdout, stderr } = await second.finished
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).not.toContain('client-0: training')
    expect(stdout).toContain('client-1: uploaded')
    for (const { finished } of [early, late]) expect((await finished).status).toBe(0)
    expect((await setting.report('a')).rounds.map(({ uploads }) => uploads)).toEqual([2])
  })

  it.skipIf(noPostgres !== null)('should hand over to a standby at once', async () => {
    await using database = await createTestDatabase()
    await using setting = await createSetting(database.url)
    await using leader = setting.startCoordinator('a', ['--standby'])
    await leader.printed(/Listening on/)
    await using standby = setting.startCoordinator('b', ['--standby'])
    await standby.printed(/Standing by/)
    await using early = setting.startClient('0/2')
    await using late = setting.startClient('1/2')
    await stopBetweenUpdates(leader, late)
    await standby.printed(/This coordinator leads now/)
    expect((await leader.finished).status).toBe(0)

    const { status, stdout } = await standby.finished
    expect(status).toBe(0)
    expect(stdout).not.toContain('client-0: training')
    for (const { finished } of [early, late]) expect((await finished).status).toBe(0)
    expect((await setting.report('b')).rounds.map(({ uploads }) => uploads)).toEqual([2])
  })

  it.skipIf(noPostgres !== null)('should end well while it stands by', async () => {
    await using database = await createTestDatabase()
    await using setting = await createSetting(database.url)
    await using leader = setting.startCoordinator('a')
    await leader.printed(/Listening on/)
    await using standby = setting.startCoordinator('b', ['--standby'])
    await standby.printed(/Standing by/)
    standby.child.kill('SIGTERM')
    const { status, stderr } = await standby.finished
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })
})

// Helpers

/** Ends a coordinator by SIGTERM that has the update of client-0, and waits for that of client-1. */
async function stopBetweenUpdates(coordinator: Running, late: Running): Promise<void> {
  await coordinator.printed(/client-1: training/)
  late.child.kill('SIGSTOP')
  await coordinator.printed(/client-0: uploaded/)
  coordinator.child.kill('SIGTERM')
  setTimeout(() => late.child.kill('SIGCONT'), 500)
}

/** Machines with a folder each, and one for both where there is a database for both. */
async function createSetting(databaseUrl?: string) {
  const folder = await createTemporaryFolder()
  const ports: Record<string, number> = { a: await freePort(), b: await freePort() }
  const servers = Object.values(ports).map((port) => `http://127.0.0.1:${port}`)
  const homeOf = (machine: string) => join(folder.path, machine)
  return {
    startCoordinator(machine: string, more: readonly string[] = []): Running {
      const shared = ['--shared', join(folder.path, 'shared')]
      const places = ['--home', homeOf(machine), ...(databaseUrl === undefined ? [] : shared)]
      const words = ['coordinator', '--port', String(ports[machine]), ...places, ...more, ...RUN]
      return startGraft(words, {
        GRAFT_JOIN_TOKEN: TOKEN,
        ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
      })
    },
    startClient(shard: string): Running {
      const words = ['client', '--server', servers.join(), '--retry', '120', '--shard', shard]
      return startGraft(words, { GRAFT_TOKEN: TOKEN })
    },
    async report(machine: string): Promise<RunReport> {
      const file = join(homeOf(machine), 'report.json')
      return RunReport.parse(JSON.parse(await readFile(file, 'utf8')))
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}
