import { describe, expect, it } from 'vitest'
import { parseClientChoice } from '../../../../../shared/data/corruption/client-choice.ts'
import { createRng } from '../../../../../shared/numeric/rng.ts'

describe('parseClientChoice', () => {
  it.each([
    ['all', [0, 1, 2, 3, 4]],
    ['0,3', [0, 3]],
    ['first:2', [0, 1]],
    ['last:2', [3, 4]],
  ])('should read %s', (text, clients) => {
    expect(chosen(text)).toEqual(clients)
  })

  it('should draw clients by the stream that it is given', () => {
    expect(chosen('random:3', 'a')).toHaveLength(3)
    expect(chosen('random:3', 'a')).toEqual(chosen('random:3', 'a'))
    const draws = new Set(['a', 'b', 'c', 'd', 'e'].map((seed) => chosen('random:3', seed).join()))
    expect(draws.size).toBeGreaterThan(1)
    expect(chosen('random:5')).toEqual([0, 1, 2, 3, 4])
  })

  it.each(['', 'some', 'first', 'first:0', '1,', '-1', 'first:1.5'])(
    'should say what is allowed instead of "%s"',
    (text) => {
      expect(() => parseClientChoice(text)).toThrow(/write all, 0,2,5, first:N.*OPTION_INVALID/)
    },
  )

  it('should refuse clients that the run does not have', () => {
    expect(() => chosen('1,5')).toThrow(/no client 5 of 5: they count from 0/)
    expect(() => chosen('last:6')).toThrow(/not 6 clients in 5/)
  })
})

function chosen(text: string, seed = 'seed'): number[] {
  return [...parseClientChoice(text).choose(5, createRng(seed))].sort()
}
