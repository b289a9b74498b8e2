import { describe, expect, it } from 'vitest'
import { createTestDatabase, postgresMissing } from '../support/database.ts'
import type { Running } from '../support/graft-process.ts'
import { openMachines } from '../support/machines.ts'
import { stopBeforeRound } from '../support/stop-before-round.ts'

const RUN = [
  ['--model', 'mlp:784-16-10', '--clients', '2', '--rounds', '1'],
  ['--examples-per-client', '200', '--proxy', '200', '--controls', 'last'],
  ['--local-epochs', '1', '--tune-epochs', '2'],
].flat()

const noPostgres = await postgresMissing()

describe('graft coordinator that is told to end', () => {
  it('should end well in the middle of a round, which goes on when it is started again', async () => {
    await using setting = await openMachines({ run: RUN })
    await using first = setting.startCoordinator('a')
    await first.printed(/Listening on/)
    await using late = setting.startClient('1/2')
    await stopBeforeRound(first, late)
    await using early = setting.startClient('0/2')
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
    await using setting = await openMachines({ run: RUN, databaseUrl: database.url })
    await using leader = setting.startCoordinator('a', ['--standby'])
    await leader.printed(/Listening on/)
    await using standby = setting.startCoordinator('b', ['--standby'])
    await standby.printed(/Standing by/)
    await using late = setting.startClient('1/2')
    await stopBeforeRound(leader, late)
    await using early = setting.startClient('0/2')
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
    await using setting = await openMachines({ run: RUN, databaseUrl: database.url })
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
  await coordinator.printed(/client-0: uploaded/)
  coordinator.child.kill('SIGTERM')
  setTimeout(() => late.child.kill('SIGCONT'), 500)
}
