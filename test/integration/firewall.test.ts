import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import type { RunSettings } from '../../shared/protocol/run-settings.ts'
import { startTestEngine } from '../support/engine.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'
import { startFederation } from '../support/test-federation.ts'
import { hashOf, TOY_WIDTHS, toyUpdate, toyWeights } from '../support/toy-run.ts'

const HONEST = ['ada', 'bob', 'cid', 'dan']

beforeAll(async () => {
  await startTestEngine()
})

describe('comparing the updates of a round', () => {
  it('should leave out and set aside an update that is far larger than the others, when told to', async () => {
    await using folder = await createTemporaryFolder()
    const { report, quarantined, huge } = await playRound(folder.path, { outliers: 'quarantine' })

    expect(report.uploads).toBe(4)
    expect(report.parents.map(({ client }) => client)).toEqual(HONEST)
    expect(report.checks?.outliers).toMatchObject([{ client: 'mallory', isSetAside: true }])
    const file = `mallory.1.${hashOf(huge.bytes)}.safetensors`
    expect(quarantined).toMatchObject([
      {
        actor: 'client:mallory',
        details: { code: 'GRAFT_UPDATE_OUTLIER', file, problem: expect.stringContaining('median') },
      },
    ])
    expect(await readdir(join(folder.path, 'quarantine'))).toEqual([file])
  })

  it('should name it and fuse it all the same by default', async () => {
    await using folder = await createTemporaryFolder()
    const { report, quarantined } = await playRound(folder.path, {})
    expect(report.uploads).toBe(5)
    expect(report.checks?.outliers).toMatchObject([{ client: 'mallory', isSetAside: false }])
    expect(quarantined).toEqual([])
  })

  it('should not look when told so', async () => {
    await using folder = await createTemporaryFolder()
    const { report } = await playRound(folder.path, { outliers: 'off' })
    expect(report.uploads).toBe(5)
    expect(report.checks).toBeUndefined()
  })

  it('should set beside each other the scores that are sent and those on the proxy set', async () => {
    await using folder = await createTemporaryFolder()
    const { report } = await playRound(folder.path, { scorer: 'conductance' })
    const { attribution = [] } = report.checks ?? {}
    expect(attribution).toHaveLength(3)
    for (const { correlations } of attribution) expect(correlations).toHaveLength(TOY_WIDTHS.length)
  })
})

describe('class counts', () => {
  it('should be those that the client was let in with', async () => {
    await using folder = await createTemporaryFolder()
    await using federation = await startFederation({ home: folder.path })
    const [ada, bob] = [await federation.puppet('ada'), await federation.puppet('bob')]
    await bob.hears('round:invited')
    const other = toyUpdate('b', { numExamples: 1000, classCounts: [1000, 0, 0, 0] })
    await expect(bob.send(other)).rejects.toMatchObject({
      code: 'GRAFT_MESSAGE_INVALID',
      message: expect.stringContaining('client:ready said [4, 3, 2, 1]'),
    })
    await expect(bob.send({ ...toyUpdate('b'), numExamples: 11 })).rejects.toMatchObject({
      code: 'GRAFT_MESSAGE_INVALID',
      message: expect.stringContaining('must add up to numExamples'),
    })
    await ada.send(toyUpdate('a'))
    await bob.send(toyUpdate('b'))
    expect((await federation.reports)[0]).toMatchObject({ uploads: 2 })
  })
})

/** Four updates that are alike in size, and one a hundred times as large. */
async function playRound(home: string, settings: Partial<RunSettings>) {
  const five = { clients: 5, quorum: 5, strategy: 'fedavg', partition: 'iid', ...settings }
  await using federation = await startFederation({ home, settings: five })
  const names = [...HONEST, 'mallory']
  const puppets = await Promise.all(names.map((name) => federation.puppet(name)))
  await Promise.all(puppets.map((puppet) => puppet.hears('round:invited')))
  const scorer = settings.scorer ?? 'uniform'
  const huge = toyUpdate('mallory', {
    weights: toyWeights('mallory').map((weight) => ({
      ...weight,
      data: weight.data.map((value) => 100 * value),
    })),
    scorer,
  })
  for (const [i, puppet] of puppets.entries()) {
    const name = names[i]!
    await puppet.send(name === 'mallory' ? huge : toyUpdate(name, { scorer }))
  }
  const [report] = await federation.reports
  const audit = await federation.store.readAudit(100)
  const quarantined = audit.filter(({ action }) => action === 'update:quarantined')
  return { report: report!, quarantined, huge }
}
