import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { liveBlock } from '../../../../shared/terminal/live-block.ts'
import { fakeStream } from '../../../support/fake-stream.ts'
import { screenOf } from '../../../support/screen.ts'

const SIZE = { columns: 20, rows: 6 }

describe('liveBlock', () => {
  it('should replace what it drew, whether it grows or shrinks', () => {
    const stream = fakeStream(SIZE)
    const block = liveBlock(stream)
    block.draw(['a', 'b'])
    block.draw(['long line', 'c', 'd'])
    block.draw(['e'])
    expect(screenOf(stream.take())).toEqual(['e'])
  })

  it('should keep text above it', () => {
    const stream = fakeStream(SIZE)
    const block = liveBlock(stream)
    block.printAbove('first')
    block.draw(['a', 'b'])
    block.printAbove('second\nthird')
    block.draw(['c', 'b'])
    expect(screenOf(stream.take())).toEqual(['first', 'second', 'third', 'c', 'b'])
  })

  it('should write nothing for the same lines', () => {
    const stream = fakeStream(SIZE)
    const block = liveBlock(stream)
    block.draw(['a', 'b'])
    stream.take()
    block.draw(['a', 'b'])
    expect(stream.take()).toBe('')
  })

  it('should leave wrapping on after every write', () => {
    const stream = fakeStream(SIZE)
    const block = liveBlock(stream)
    block.draw(['x'.repeat(50)])
    expect(stream.take()).toMatch(/\u001b\[\?7l.*\u001b\[\?7h$/s)
  })

  it('should show what was printed and the last block, in any order of calls', () => {
    const line = fc.stringMatching(/^[a-z]{1,9}$/)
    const calls = fc.array(
      fc.oneof(fc.record({ draw: fc.array(line, { maxLength: 8 }) }), fc.record({ print: line })),
    )
    fc.assert(
      fc.property(calls, (some) => {
        const stream = fakeStream(SIZE)
        const block = liveBlock(stream)
        const printed: string[] = []
        let last: string[] = []
        for (const call of some) {
          if ('print' in call) {
            block.printAbove(call.print)
            printed.push(call.print)
          } else {
            block.draw(call.draw)
            last = call.draw.slice(0, SIZE.rows - 1)
          }
        }
        expect(screenOf(stream.take())).toEqual([...printed, ...last])
      }),
    )
  })
})
