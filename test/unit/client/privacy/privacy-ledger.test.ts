import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createPrivacy } from '../../../../client/privacy/privacy.ts'
import { openPrivacyLedger } from '../../../../client/privacy/privacy-ledger.ts'
import { privacyOf } from '../../../../client/privacy/privacy-of.ts'
import { epsilonOf } from '../../../../shared/numeric/gaussian-accountant.ts'
import { createTemporaryFolder } from '../../../support/temporary-folder.ts'

const WEIGHTS = [{ name: 'a.kernel', shape: [2], data: Float32Array.of(1, 2) }]

describe('the ledger of --dp-ledger', () => {
  it('should let epsilon go on after a restart', async () => {
    await using folder = await createTemporaryFolder()
    const file = join(folder.path, 'deep', 'ledger.json')
    const restarted = () =>
      createPrivacy({ clip: 1, noise: 2, delta: 1e-5, ledger: openPrivacyLedger(file) })
    for (let time = 1; time <= 3; time++) restarted().release(WEIGHTS, WEIGHTS)

    const { releases, epsilon } = restarted().spent()
    expect(releases).toBe(3)
    expect(epsilon).toBe(epsilonOf({ noise: 2, sampling: 1, count: 3 }, 1e-5))
    expect(epsilon).toBeGreaterThan(epsilonOf({ noise: 2, sampling: 1, count: 1 }, 1e-5))
  })

  it('should count updates of another noise by what they tell', async () => {
    await using folder = await createTemporaryFolder()
    const file = join(folder.path, 'ledger.json')
    const ledger = openPrivacyLedger(file)
    ledger.add(1)
    ledger.add(2)
    // One with noise 1 tells as much as four with noise 2.
    expect(ledger.countAt(2)).toBe(5)
    expect(ledger.countAt(1)).toBe(1.25)
    expect(openPrivacyLedger(file).countAt(2)).toBe(5)
    // Where only one noise is in it, another unit gives the same epsilon.
    const four = epsilonOf({ noise: 2, sampling: 1, count: 4 }, 1e-5)
    expect(epsilonOf({ noise: 1, sampling: 1, count: 1 }, 1e-5)).toBeCloseTo(four, 12)
  })

  it('should be on disk before an update is out', async () => {
    await using folder = await createTemporaryFolder()
    const file = join(folder.path, 'ledger.json')
    const normal = () => {
      throw new Error('killed while the noise is drawn')
    }
    const ledger = openPrivacyLedger(file)
    const privacy = createPrivacy({ clip: 1, noise: 2, delta: 1e-5, ledger, normal })
    expect(() => privacy.release(WEIGHTS, WEIGHTS)).toThrow('killed')
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
      version: 1,
      spent: [{ noise: 2, releases: 1 }],
    })
  })

  it.each(['', '{"version":2,"spent":[]}', '{"version":1,"spent":[{"noise":0,"releases":1}]}'])(
    'should refuse to start again at nothing where the file holds %j',
    async (text) => {
      await using folder = await createTemporaryFolder()
      const file = join(folder.path, 'ledger.json')
      await writeFile(file, text)
      expect(() => openPrivacyLedger(file)).toThrow(/GRAFT_FILE_UNREADABLE/)
    },
  )

  it('should be refused without what it counts', () => {
    const words = { clip: undefined, noise: undefined, delta: 1e-5, ledger: 'any' }
    expect(() => privacyOf(words, process.stdout)).toThrow(/--dp-ledger.*GRAFT_OPTION_INVALID/)
  })
})
