import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { postgresMissing } from '../support/database.ts'
import { openStandbys } from '../support/machines.ts'
import { startS3Server } from '../support/s3-server.ts'
import { stopBeforeRound } from '../support/stop-before-round.ts'

const noPostgres = await postgresMissing()

describe.skipIf(noPostgres !== null)('graft coordinator --standby --blobs', () => {
  it('should go on from another machine with what is in the bucket, and wait while that is away', async () => {
    await using s3 = await startS3Server()
    await using setting = await openStandbys(s3)
    await using leader = setting.startCoordinator('a')
    await leader.printed(/Blobs: s3:\/\/graft-test\/ward at http/)
    await leader.printed(/Listening on/)
    await using standby = setting.startCoordinator('b')
    await standby.printed(/Standing by/)
    await using late = setting.startClient('1/2')
    await stopBeforeRound(leader, late)
    await using early = setting.startClient('0/2')
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
    await using setting = await openStandbys(s3)
    await using leader = setting.startCoordinator('a')
    await leader.printed(/Listening on/)
    await using standby = setting.startCoordinator('b')
    await standby.printed(/Standing by/)
    await using late = setting.startClient('1/2')
    await stopBeforeRound(leader, late)
    await using early = setting.startClient('0/2')
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
})
