import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { createTemporaryFolder } from '../support/temporary-folder.ts'
import { startTestEngine } from '../support/engine.ts'
import { startFederation } from '../support/test-federation.ts'
import { hashOf, toyUpdate, toyWeights, updateWithNaN } from '../support/toy-run.ts'

beforeAll(async () => {
  await startTestEngine()
})

describe('what a federation refuses', () => {
  it('should quarantine an update that is none, say why in the audit log, and go on', async () => {
    await using folder = await createTemporaryFolder()
    await using federation = await startFederation({ home: folder.path })
    const [honest, broken] = [await federation.puppet('honest'), await federation.puppet('broken')]
    await broken.hears('round:invited')

    const good = toyUpdate('good')
    const [first, ...others] = toyWeights('good')
    const wrongShape = [{ ...first!, shape: [...first!.shape].reverse() }, ...others]
    const bad = [
      { code: 'GRAFT_NOT_FINITE', says: 'fc1.kernel[3] is NaN', update: updateWithNaN('good') },
      {
        code: 'GRAFT_SHAPE_MISMATCH',
        says: 'fc1.kernel [12,6], not fc1.kernel [6,12]',
        update: toyUpdate('good', { weights: wrongShape }),
      },
      {
        code: 'GRAFT_MODEL_FILE_INVALID',
        says: '',
        update: { ...good, bytes: good.bytes.subarray(0, 100) },
      },
      {
        code: 'GRAFT_MESSAGE_INVALID',
        says: 'numExamples 10, not 1000',
        update: { ...good, numExamples: 1000, classCounts: [994, 3, 2, 1] },
      },
    ]
    for (const { code, update } of bad) {
      await expect(broken.send(update)).rejects.toMatchObject({ code })
    }
    await honest.send(toyUpdate('honest'))
    await broken.send(good)

    expect((await federation.reports)[0]).toMatchObject({ uploads: 2 })
    const audit = (await federation.store.readAudit(20)).reverse()
    const quarantined = audit.filter(({ action }) => action === 'update:quarantined')
    expect(quarantined).toMatchObject(
      bad.map(({ code, says }) => ({
        actor: 'client:broken',
        details: { code, problem: expect.stringContaining(says) },
      })),
    )
    const files = quarantined.map(({ details }) => (details as { file: string }).file)
    expect((await readdir(join(folder.path, 'quarantine'))).sort()).toEqual([...files].sort())
  })

  it('should refuse before any byte who is not in the cohort and what is too large', async () => {
    await using folder = await createTemporaryFolder()
    await using federation = await startFederation({ home: folder.path })
    const [a, b] = [await federation.puppet('a'), await federation.puppet('b')]
    await a.hears('round:invited')
    const tooLate = await federation.puppet('too-late')

    const code = 'GRAFT_NOT_IN_COHORT'
    await expect(tooLate.send(toyUpdate('c'))).rejects.toMatchObject({ code })
    const large = { ...toyUpdate('a'), bytes: new Uint8Array(10_000) }
    await expect(a.send(large)).rejects.toMatchObject({ code: 'GRAFT_UPLOAD_TOO_LARGE' })
    expect(await readdir(join(folder.path, 'uploads'))).toEqual([])

    await Promise.all([a.send(toyUpdate('a')), b.send(toyUpdate('b'))])
    expect((await federation.reports)[0]).toMatchObject({ cohort: 2, uploads: 2 })
  })

  it('should keep the first of two updates of a client for one round', async () => {
    await using folder = await createTemporaryFolder()
    await using federation = await startFederation({ home: folder.path })
    const [a, b] = [await federation.puppet('a'), await federation.puppet('b')]
    await a.hears('round:invited')
    const first = toyUpdate('first')
    await a.send(first)
    await a.send(toyUpdate('second'))
    const other = toyUpdate('b')
    await b.send(other)

    const [report] = await federation.reports
    expect(report?.uploads).toBe(2)
    const audit = (await federation.store.readAudit(20)).reverse()
    const accepted = audit.filter(({ action }) => action === 'update:accepted')
    expect(accepted).toMatchObject([
      { actor: 'client:a', details: { blob: hashOf(first.bytes) } },
      { actor: 'client:b', details: { blob: hashOf(other.bytes) } },
    ])
  })

  it('should refuse a name that joined with another token', async () => {
    await using folder = await createTemporaryFolder()
    await using federation = await startFederation({ home: folder.path })
    await federation.puppet('a')
    const other = { secret: 'another-join-token', kind: 'join', clientId: null } as const
    await federation.store.createToken({ ...other, label: 'other', expiresAt: null })

    const thief = federation.puppet('a', other.secret)
    await expect(thief).rejects.toMatchObject({ code: 'GRAFT_CLIENT_NAME_TAKEN' })
  })
})
