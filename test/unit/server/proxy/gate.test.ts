import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Candidate, chooseCandidate as choose } from '../../../../server/proxy/gate.ts'
import type { Publishing } from '../../../../shared/protocol/run-settings.ts'

describe('chooseCandidate', () => {
  it('should publish a candidate that beats the current model and say why', () => {
    const fused = model('fused', 0.61, 1.2)
    const tuned = model('tuned', 0.905, 0.31)
    expect(chooseCandidate([fused, tuned], model('current', 0.88, 0.4))).toEqual({
      published: tuned,
      isNew: true,
      reason:
        'tuned (accuracy 90.5 %, loss 0.310) is published: it beats the current model ' +
        '(accuracy 88.0 %, loss 0.400) on the held-out proxy examples.',
    })
  })

  it('should keep the current model when nothing beats it', () => {
    const current = model('current', 0.9, 0.3)
    const { published, isNew, reason } = chooseCandidate([model('tuned', 0.9, 0.3)], current)
    expect(published).toBe(current)
    expect(isNew).toBe(false)
    expect(reason).toContain('tuned (accuracy 90.0 %, loss 0.300) is not published')
  })

  it('should publish a candidate of every round when told to', () => {
    const [fused, tuned] = [model('fused', 0.5, 2), model('tuned', 0.6, 1)]
    expect(chooseCandidate([fused, tuned], model('current', 0.9, 0.3), 'always')).toEqual({
      published: tuned,
      isNew: true,
      reason: 'tuned (accuracy 60.0 %, loss 1.000) is published, as that of every round is.',
    })
  })

  it('should let the loss decide between equal accuracies', () => {
    const current = model('current', 0.9, 0.3)
    expect(chooseCandidate([model('tuned', 0.9, 0.29)], current).isNew).toBe(true)
    expect(chooseCandidate([model('tuned', 0.89, 0.1)], current).isNew).toBe(false)
  })

  it.each([
    // Of 200 examples, two standard errors are 3.8 points here.
    { fused: 0.93, tuned: 0.93, chosen: 'tuned' },
    { fused: 0.93, tuned: 0.9, chosen: 'tuned' },
    { fused: 0.93, tuned: 0.88, chosen: 'fused' },
  ])('should choose the last candidate unless it is clearly worse: $tuned', (heldOut) => {
    const candidates = [model('fused', heldOut.fused, 0.2), model('tuned', heldOut.tuned, 0.3)]
    for (const publish of ['better', 'always'] as const) {
      const { published } = chooseCandidate(candidates, model('current', 0.1, 9), publish)
      expect(published.name).toBe(heldOut.chosen)
    }
  })

  it('should never publish a model whose loss is not a number', () => {
    const broken = model('tuned', 0.99, NaN)
    const fine = model('fused', 0.5, 1)
    expect(chooseCandidate([broken], fine).isNew).toBe(false)
    for (const both of [
      [broken, fine],
      [fine, broken],
    ]) {
      expect(chooseCandidate(both, model('current', 0.4, 1)).published).toBe(fine)
    }
    expect(chooseCandidate([fine], broken).published).toBe(fine)
  })

  it('should never publish a model that is less accurate than the current one', () => {
    const score = fc.record({
      accuracy: fc.float({ min: 0, max: 1, noNaN: true }),
      loss: fc.float({ min: 0 }),
    })
    const models = fc.array(score, { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(models, score, (heldOuts, heldOut) => {
        const candidates = heldOuts.map((of, i) => ({ name: `c${i}`, heldOut: of }))
        const { published } = chooseCandidate(candidates, { name: 'current', heldOut })
        if (!Number.isNaN(heldOut.loss)) {
          expect(published.heldOut.accuracy).toBeGreaterThanOrEqual(heldOut.accuracy)
        }
      }),
    )
  })

  it('should refuse to choose from nothing', () => {
    expect(() => chooseCandidate([], model('current', 0.5, 1))).toThrow(RangeError)
  })
})

// Helpers

function chooseCandidate<Model extends Candidate>(
  candidates: readonly Model[],
  current: Model,
  publish?: Publishing,
) {
  return choose(candidates, current, { count: 200, publish })
}

function model(name: string, accuracy: number, loss: number): Candidate {
  return { name, heldOut: { accuracy, loss } }
}
