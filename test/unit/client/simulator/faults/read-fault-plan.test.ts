import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readFaultPlan } from '../../../../../client/simulator/faults/read-fault-plan.ts'
import { createTemporaryFolder } from '../../../../support/temporary-folder.ts'

describe('readFaultPlan', () => {
  it.each([
    ['{"faults": [', /plan\.json is not JSON/],
    ['[]', /plan\.json: the plan: .*expected object/],
    [{ faults: [{ fault: 'explode' }] }, /faults\.0\.fault: must be one of late, delay, slow/],
    [{ faults: [{ fault: 'slow', factor: 1 }] }, /faults\.0\.factor: .*>1/],
    [{ faults: [{ fault: 'corrupt', how: 'nan', factor: 9 }] }, /factor: .*corrupt by scale/],
    [{ faults: [{ fault: 'late', seconds: 1, rounds: [1] }] }, /faults\.0: .*"rounds"/],
    [
      { faults: [{ fault: 'leave', when: 'after-upload', back: 'next-round' }] },
      /comes back in the same-round, or never/,
    ],
  ])('should say of %j what is wrong with it', async (plan, problem) => {
    await using folder = await createTemporaryFolder()
    const file = join(folder.path, 'plan.json')
    await writeFile(file, typeof plan === 'string' ? plan : JSON.stringify(plan))
    const read = readFaultPlan(file)
    await expect(read).rejects.toMatchObject({ code: 'GRAFT_OPTION_INVALID' })
    await expect(read).rejects.toThrow(problem)
  })

  it('should say that there is no such file', async () => {
    await expect(readFaultPlan('nowhere.json')).rejects.toMatchObject({
      code: 'GRAFT_FILE_UNREADABLE',
    })
  })
})
