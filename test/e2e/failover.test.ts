import { createHash } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { RunReport } from '../../shared/protocol/run-report.ts'
import { createTestDatabase, postgresMissing } from '../support/database.ts'
import { freePort } from '../support/free-port.ts'
import { type Running, startGraft } from '../support/graft-process.ts'
import { type S3Server, startS3Server } from '../support/s3-server.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'

const RUN = [
  ['--model', 'mlp:784-32-10', '--clients', '2', '--rounds', '2'],
  ['--examples-per-client', '300', '--proxy', '200'],
  ['--local-epochs', '1', '--tune-epochs', '3'],
].flat()

const TOKEN = 'a-join-token-for-these-tests'

const noPostgres = await postgresMissing()

describe.skipIf(noPostgres !== null)('graft coordinator --standby', () => {
  it('should take over in the middle of a round when the leader is killed', async () => {
    await using setting = await createSetting()
    await using leader = setting.startCoordinator('a')
    await leader.printed(/Listening on/)
    await using standby = setting.startCoordinator('b')
    await standby.printed(/Standing by: the coordinator pid \d+ on \S+ leads\./)
    await using early = setting.startClient('0/2')
    await using late = setting.startClient('1/2')
    await leader.printed(/client-1: training/)
    late.child.kill('SIGSTOP')
    await leader.printed(/client-0: uploaded/)
    leader.child.kill('SIGKILL')
    late.child.kill('SIGCONT')

    const { status, stderr, stdout } = await standby.finished
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    // Its update was in the journal: it is neither asked nor sent again.
    const [ofRound1] = stdout.split('round 2: recruiting')
    expect(ofRound1).toContain('client-1: uploaded')
    expect(ofRound1).not.toContain('client-0: training')
    expect((await early.finished).status).toBe(0)
    expect((await late.finished).status).toBe(0)
    const report = await setting.report('b')
    expect(report.rounds.map(({ uploads }) => uploads)).toEqual([2, 2])

    // The same as of a run that nobody disturbed.
    await using calm = await createSetting()
    await using alone = calm.startCoordinator('a')
    await alone.printed(/Listening on/)
    await using clients = calm.startClient('0/2')
    await using others = calm.startClient('1/2')
    for (const { finished } of [alone, clients, others]) expect((await finished).status).toBe(0)
    const { final } = await calm.report('a')
    expect(report.final.modelSha256).toBe(final.modelSha256)
  })

  it('should go on from another machine with what is in the bucket, and wait while that is away', async () => {
    await using s3 = await startS3Server()
    await using setting = await createSetting(s3)
    await using leader = setting.startCoordinator('a')
    await leader.printed(/Blobs: s3:\/\/graft-test\/ward at http/)
    await leader.printed(/Listening on/)
    await using standby = setting.startCoordinator('b')
    await standby.printed(/Standing by/)
    await using early = setting.startClient('0/2')
    await using late = setting.startClient('1/2')
    await leader.printed(/client-1: training/)
    late.child.kill('SIGSTOP')
    await leader.printed(/client-0: uploaded/)
    await s3.stop()
    leader.child.kill('SIGKILL')
    await leader.finished
    await rm(setting.homeOf('a'), { recursive: true })
    late.child.kill('SIGCONT')
    await standby.printed(
      /s3:\/\/graft-test\/ward at .* does not answer \(ECONN\w+\)\. Waiting for it\./,
    )
    await s3.start()

    const { status, stderr, stdout } = await standby.finished
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toContain('The bucket answers again.')
    const [ofRound1] = stdout.split('round 2: recruiting')
    expect(ofRound1).not.toContain('client-0: training')
    expect((await early.finished).status).toBe(0)
    expect((await late.finished).status).toBe(0)
    const { rounds, final } = await setting.report('b')
    expect(rounds.map(({ uploads }) => uploads)).toEqual([2, 2])
    const key = `ward/${final.modelSha256.slice(0, 2)}/${final.modelSha256.slice(2)}`
    expect(createHash('sha256').update(s3.objects.get(key)!).digest('hex')).toBe(final.modelSha256)
  })

  it('should end with the reason when what it goes on with has been changed in the bucket', async () => {
    await using s3 = await startS3Server()
    await using setting = await createSetting(s3)
    await using leader = setting.startCoordinator('a')
    await leader.printed(/Listening on/)
    await using standby = setting.startCoordinator('b')
    await standby.printed(/Standing by/)
    await using early = setting.startClient('0/2')
    await using late = setting.startClient('1/2')
    await leader.printed(/client-1: training/)
    late.child.kill('SIGSTOP')
    await leader.printed(/client-0: uploaded/)
    leader.child.kill('SIGKILL')
    const [{ blob }] = (await setting.database.query(
      "SELECT event->'update'->>'blob' AS blob FROM journal_event WHERE event->>'type' = 'update-received'",
    )) as [{ blob: string }]
    s3.objects.set(`ward/${blob.slice(0, 2)}/${blob.slice(2)}`, Buffer.from('something else'))
    late.child.kill('SIGCONT')
    const { status, stderr } = await standby.finished
    expect(stderr).toMatch(
      /^graft: Blob [0-9a-f]{64} in s3:.* now has the SHA-256 .*GRAFT_BLOB_CORRUPT/,
    )
    expect(status).toBe(5)
    // Clients wait for who mends it.
    expect([early, late].map(({ child }) => child.exitCode)).toEqual([null, null])
  })

  it('should refuse what a leader writes that comes back late, and the leader should end', async () => {
    await using setting = await createSetting()
    await using leader = setting.startCoordinator('a')
    await leader.printed(/Listening on/)
    await using standby = setting.startCoordinator('b', ['--standby', '--lease', '3'])
    await standby.printed(/Standing by/)
    // Asleep, as a virtual machine that is moved: to the server it is still there.
    leader.child.kill('SIGSTOP')
    await standby.printed(/It has given no sign of life for 3 s: its lead was ended\./)
    await standby.printed(/Listening on/)
    leader.child.kill('SIGCONT')
    const { status, stderr } = await leader.finished
    expect(stderr).toMatch(
      /^graft: The coordinator pid \d+ on \S+ leads .*\(GRAFT_LEADERSHIP_LOST\)\n$/,
    )
    expect(status).toBe(5)

    await using first = setting.startClient('0/2')
    await using second = setting.startClient('1/2')
    for (const { finished } of [standby, first, second]) expect((await finished).status).toBe(0)
    expect((await setting.report('b')).rounds).toHaveLength(2)
  })

  it('should end with the run that it stood by for, and begin no other', async () => {
    await using setting = await createSetting()
    await using leader = setting.startCoordinator('a')
    await leader.printed(/Listening on/)
    await using standby = setting.startCoordinator('b')
    await standby.printed(/Standing by/)
    await using first = setting.startClient('0/2')
    await using second = setting.startClient('1/2')
    for (const { finished } of [leader, first, second]) expect((await finished).status).toBe(0)
    const { status, stdout } = await standby.finished
    expect(stdout).toContain('The run that it stood by for is over.')
    expect(status).toBe(0)
    expect(await setting.database.query('SELECT status FROM run')).toEqual([{ status: 'finished' }])
  })

  it('should refuse a second coordinator that was not told to stand by', async () => {
    await using setting = await createSetting()
    await using leader = setting.startCoordinator('a')
    await leader.printed(/Listening on/)
    await using second = setting.startCoordinator('b', [])
    const { status, stderr } = await second.finished
    expect(stderr).toMatch(
      /^graft: The coordinator pid \d+ on .*--standby.*\(GRAFT_LEADERSHIP_TAKEN\)\n$/,
    )
    expect(status).toBe(5)
  })
})

// Helpers

/** Two machines, a and b, with one database and one shared folder, or one bucket. */
async function createSetting(s3?: S3Server) {
  const folder = await createTemporaryFolder()
  const database = await createTestDatabase()
  const ports: Record<string, number> = { a: await freePort(), b: await freePort() }
  const servers = Object.values(ports).map((port) => `http://127.0.0.1:${port}`)
  const homeOf = (machine: string) => join(folder.path, machine)
  const sharedFolder = join(folder.path, 'shared')
  return {
    database,
    homeOf,
    startCoordinator(machine: string, more = ['--standby']): Running {
      const blobs = s3 ? ['--blobs', `s3://${s3.bucket}/ward`] : ['--shared', sharedFolder]
      const places = ['--home', homeOf(machine), ...blobs]
      const words = ['coordinator', '--port', String(ports[machine]), ...places, ...more, ...RUN]
      return startGraft(words, {
        ...{ DATABASE_URL: database.url, GRAFT_JOIN_TOKEN: TOKEN },
        ...s3?.env,
      })
    },
    startClient(shard: string): Running {
      const words = ['client', '--server', servers.join(), '--retry', '120', '--shard', shard]
      return startGraft(words, { GRAFT_TOKEN: TOKEN })
    },
    async report(machine: string): Promise<RunReport> {
      const file = join(homeOf(machine), 'report.json')
      const report = RunReport.parse(JSON.parse(await readFile(file, 'utf8')))
      const model = join(homeOf(machine), 'models', `round-00${report.rounds.length}.safetensors`)
      const hash = createHash('sha256')
        .update(await readFile(model))
        .digest('hex')
      expect(hash).toBe(report.final.modelSha256)
      return report
    },
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}
