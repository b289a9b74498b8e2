import { describe, expect, it } from 'vitest'
import { createProgress } from '../../../../client/node/progress.ts'
import type { ClientProgress } from '../../../../shared/protocol/messages.ts'
import { round } from '../../../support/test-gateway.ts'

describe('createProgress', () => {
  it('should pass on each whole percent of a phase once', () => {
    const sent: ClientProgress[] = []
    const progress = createProgress(round(3), (message) => sent.push(message))
    for (let step = 1; step <= 1000; step++) progress('training', step / 1000, 0.5)
    expect(sent).toHaveLength(101)
    expect(sent[1]).toEqual({ round: 3, phase: 'training', done: 0.01, loss: 0.5 })
  })

  it('should pass on the same percent of another phase', () => {
    const sent: ClientProgress[] = []
    const progress = createProgress(round(1), (message) => sent.push(message))
    progress('pulling', 1)
    progress('training', 1)
    expect(sent.map((message) => message.phase)).toEqual(['pulling', 'training'])
  })

  it('should leave out a loss that is not a number', () => {
    const sent: ClientProgress[] = []
    createProgress(round(1), (message) => sent.push(message))('training', 0, NaN)
    expect(sent).toEqual([{ round: 1, phase: 'training', done: 0 }])
  })
})
