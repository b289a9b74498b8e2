import { describe, expect, it } from 'vitest'
import { groupWrites } from '../../../../server/store/group-writes.ts'

describe('groupWrites', () => {
  it('should write together what comes during a write, in order', async () => {
    const { write, groups } = recorder()
    await Promise.all(['a', 'b', 'c'].map(write))
    await write('d')
    expect(groups).toEqual([['a'], ['b', 'c'], ['d']])
  })

  it('should resolve no item before it is written', async () => {
    const { write, groups } = recorder()
    const seen = await Promise.all(
      ['a', 'b'].map(async (item) => {
        await write(item)
        return groups.flat().includes(item)
      }),
    )
    expect(seen).toEqual([true, true])
  })

  it('should fail the item that cannot be written, and no other of its group', async () => {
    const { write, groups } = recorder('bad')
    const all = await Promise.allSettled(['a', 'b', 'bad', 'c'].map(write))
    expect(all.map(({ status }) => status)).toEqual([
      ...['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
    ])
    expect(groups).toEqual([['a'], ['b'], ['c']])
    await write('next')
    expect(groups.at(-1)).toEqual(['next'])
  })
})

/** Takes its time for each group; one with `refused` in it is not written. */
function recorder(refused?: string) {
  const groups: string[][] = []
  const write = groupWrites<string>(async (items) => {
    await new Promise(setImmediate)
    if (refused !== undefined && items.includes(refused)) throw new Error('refused')
    groups.push([...items])
  })
  return { write, groups }
}
