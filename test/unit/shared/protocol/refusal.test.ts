import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ERRORS, type ErrorCode, GraftError } from '../../../../shared/errors.ts'
import { fromRefusal, parseMessage, toRefusal } from '../../../../shared/protocol/refusal.ts'

describe('refusal', () => {
  it.each(Object.keys(ERRORS) as ErrorCode[])('should bring %s to the other side whole', (code) => {
    const error = new GraftError(code, 'What happened, with 3 values.')
    const again = fromRefusal(toRefusal(error))
    expect(again).toMatchObject({ code, problem: error.problem, message: error.message })
  })

  it('should keep a message that does not end in the remedy', () => {
    const error = fromRefusal({ code: 'GRAFT_ROUND_STALE', message: 'Too late.' })
    expect(error.problem).toBe('Too late.')
  })
})

describe('parseMessage', () => {
  const Schema = z.strictObject({ round: z.int().positive(), name: z.string() })

  it('should give back a valid message', () => {
    expect(parseMessage('m', Schema, { round: 1, name: 'a' })).toEqual({ round: 1, name: 'a' })
  })

  it('should name the message and each field at fault', () => {
    expect(() => parseMessage('update:begin', Schema, { round: -1 })).toThrow(
      expect.objectContaining({
        code: 'GRAFT_MESSAGE_INVALID',
        problem: expect.stringMatching(/^update:begin is not valid: round: .*; name: .*\.$/),
      }),
    )
  })

  it('should say so when the message is nothing at all', () => {
    expect(() => parseMessage('m', Schema, undefined)).toThrow('m is not valid: message: ')
  })
})
