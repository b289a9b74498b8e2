import { describe, expect, it } from 'vitest'
import { postgresMissing } from '../support/database.ts'
import { openStandbys } from '../support/machines.ts'
import { stopBeforeRound } from '../support/stop-before-round.ts'

const noPostgres = await postgresMissing()

describe.skipIf(noPostgres !== null)('graft coordinator --standby', () => {
  it('should take over in the middle of a round when the leader is killed', async () => {
    await using setting = await openStandbys()
    await using leader = setting.startCoordinator('a')
    await leader.printed(/Listening on/)
    await using standby = setting.startCoordinator('b')
    await standby.printed(/Standing by: the coordinator pid \d+ on \S+ leads\./)
    await using late = setting.startClient('1/2')
    await stopBeforeRound(leader, late)
    await using early = setting.startClient('0/2')
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
    await using calm = await openStandbys()
    await using alone = calm.startCoordinator('a')
    await alone.printed(/Listening on/)
    await using clients = calm.startClient('0/2')
    await using others = calm.startClient('1/2')
    for (const { finished } of [alone, clients, others]) expect((await finished).status).toBe(0)
    const { final } = await calm.report('a')
    expect(report.final.modelSha256).toBe(final.modelSha256)
  })

  it('should refuse what a leader writes that comes back late, and the leader should end', async () => {
    await using setting = await openStandbys()
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
    await using setting = await openStandbys()
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
    await using setting = await openStandbys()
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
