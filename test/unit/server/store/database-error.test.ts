import { describe, expect, it } from 'vitest'
import { toDatabaseError } from '../../../../server/store/database-error.ts'
import { GraftError } from '../../../../shared/errors.ts'

const WHERE = 'PostgreSQL at db:5432/graft'
const withCode = (code: string, message = 'it failed') =>
  Object.assign(new Error(message), { code })

describe('toDatabaseError', () => {
  it.each(['ECONNREFUSED', 'ENOTFOUND', '28P01', '3D000', '57P01', '08006', '53300', 'P1001'])(
    'should read %s as a database that does not answer',
    (code) => {
      const error = toDatabaseError(withCode(code), WHERE)

      expect(error).toMatchObject({
        code: 'GRAFT_DATABASE_UNAVAILABLE',
        problem: `${WHERE} does not answer: it failed.`,
      })
    },
  )

  it.each([
    [51, 'GRAFT_DISK_FULL', 'has no space left.'],
    [69, 'GRAFT_DATABASE_UNAVAILABLE', 'does not answer: its files cannot be written (EROFS).'],
    [
      76,
      'GRAFT_DATABASE_UNAVAILABLE',
      'does not answer: its files cannot be written (WASI errno 76).',
    ],
  ])(
    'should read errno %i of the embedded file system, which is no Error',
    (errno, code, problem) => {
      const error = toDatabaseError({ name: 'ErrnoError', errno }, WHERE)

      expect(error).toMatchObject({ code, problem: `${WHERE} ${problem}` })
    },
  )

  it('should read any fatal error of a server as no answer, in the words of the server', () => {
    const cause = {
      originalCode: '55000',
      originalMessage: 'no connections now',
      severity: 'FATAL',
    }
    const error = Object.assign(new Error('\nInvalid `prisma.$queryRaw()` invocation:\n\nfailed'), {
      code: 'P2010',
      meta: { driverAdapterError: { cause } },
    })

    expect(toDatabaseError(error, WHERE)).toMatchObject({
      code: 'GRAFT_DATABASE_UNAVAILABLE',
      problem: `${WHERE} does not answer: no connections now.`,
    })
  })

  it('should find the reason inside: both addresses of a host refused', () => {
    const error = toDatabaseError(
      new AggregateError([withCode('ECONNREFUSED', 'connect ECONNREFUSED ::1:5432')]),
      WHERE,
    )

    expect(error).toMatchObject({
      problem: `${WHERE} does not answer: connect ECONNREFUSED ::1:5432.`,
    })
  })

  it('should find the reason inside: an error of a driver adapter', () => {
    const cause = { kind: 'postgres', originalCode: '57P01', originalMessage: 'shut down' }
    const error = Object.assign(new Error('Raw query failed'), {
      code: 'P2010',
      meta: { driverAdapterError: Object.assign(new Error('x'), { cause }) },
    })

    expect(toDatabaseError(error, WHERE)).toMatchObject({ code: 'GRAFT_DATABASE_UNAVAILABLE' })
  })

  it('should tell a full disk from a server that is away', () => {
    expect(toDatabaseError(withCode('53100'), WHERE)).toMatchObject({ code: 'GRAFT_DISK_FULL' })
  })

  it('should not take a wrong statement or a bug for a server that is away', () => {
    const refused = new GraftError('GRAFT_DATABASE_BUSY', 'x')
    for (const error of [
      withCode('42P01'),
      withCode('23505'),
      withCode('P2002'),
      refused,
      'text',
    ]) {
      expect(toDatabaseError(error, WHERE)).toBe(error)
    }
    const bug = new TypeError('undefined is not a JSON value.')
    expect(toDatabaseError(bug, WHERE)).toBe(bug)
  })

  it('should not follow a cause that is its own cause for ever', () => {
    const error = new Error('odd')
    error.cause = error

    expect(toDatabaseError(error, WHERE)).toBe(error)
  })
})
