import { execFile } from 'node:child_process'
import { cp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { RunReport } from '../../shared/protocol/run-report.ts'
import { createTestDatabase, postgresMissing } from '../support/database.ts'
import { freePort } from '../support/free-port.ts'
import { runGraft, startGraft } from '../support/graft-process.ts'
import { stopBeforeRound } from '../support/stop-before-round.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'

const run = promisify(execFile)

const RUN = [
  ['--model', 'mlp:784-16-10', '--clients', '2', '--rounds', '1'],
  ['--examples-per-client', '200', '--proxy', '200', '--controls', 'last'],
  ['--local-epochs', '1', '--tune-epochs', '2'],
].flat()
const TOKEN = 'a-join-token-for-these-tests'

const missing =
  (await postgresMissing()) ??
  (await run('pg_dump', ['--version']).then(
    () => null,
    () => 'there is no pg_dump',
  ))

describe.skipIf(missing !== null)('a back-up by pg_dump, and then of the blobs', () => {
  it('should be made while a round goes on, and go on with it in another place', async () => {
    await using folder = await createTemporaryFolder()
    const port = String(await freePort())
    const startCoordinator = (home: string, databaseUrl: string) =>
      startGraft(['coordinator', '--port', port, '--home', join(folder.path, home), ...RUN], {
        ...{ GRAFT_JOIN_TOKEN: TOKEN, DATABASE_URL: databaseUrl },
      })
    const startClient = (shard: string) =>
      startGraft(['client', '--server', `http://127.0.0.1:${port}`, '--shard', shard], {
        GRAFT_TOKEN: TOKEN,
      })
    const dump = join(folder.path, 'graft.sql')
    const copy = join(folder.path, 'copy')
    {
      await using database = await createTestDatabase()
      await using coordinator = startCoordinator('first', database.url)
      await coordinator.printed(/Listening on/)
      await using late = startClient('1/2')
      await stopBeforeRound(coordinator, late)
      await using early = startClient('0/2')
      await coordinator.printed(/client-0: uploaded/)
      await run('pg_dump', ['--no-owner', '--file', dump, database.url])
      // Behind the dump: every blob that it names is there by now.
      await cp(join(folder.path, 'first', 'blobs'), join(copy, 'blobs'), { recursive: true })
      for (const { child } of [coordinator, early, late]) child.kill('SIGKILL')
    }
    await rm(join(folder.path, 'first'), { recursive: true })

    await using database = await createTestDatabase()
    await run('psql', ['--quiet', '--set', 'ON_ERROR_STOP=1', '--file', dump, database.url])
    await cp(copy, join(folder.path, 'second'), { recursive: true })
    const doctor = await runGraft(['doctor', '--repair', '--home', join(folder.path, 'second')], {
      DATABASE_URL: database.url,
    })
    expect(doctor.stdout).not.toContain('problem')
    expect(doctor.status).toBe(0)

    await using coordinator = startCoordinator('second', database.url)
    await coordinator.printed(/Listening on/)
    await using early = startClient('0/2')
    await using late = startClient('1/2')
    const { status, stdout } = await coordinator.finished
    expect(status).toBe(0)
    // Its update was in the dump.
    expect(stdout).not.toContain('client-0: training')
    for (const { finished } of [early, late]) expect((await finished).status).toBe(0)
    const report = JSON.parse(
      await readFile(join(folder.path, 'second', 'report.json'), 'utf8'),
    ) as unknown
    expect(RunReport.parse(report).rounds.map(({ uploads }) => uploads)).toEqual([2])
  })
})
