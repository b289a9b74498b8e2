import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { parseOptions } from '../../../../shared/command/command.ts'
import {
  DATABASE_OPTION,
  ENGINE_OPTION,
  HOME_OPTION,
  JSON_OPTION,
} from '../../../../shared/command/common-options.ts'
import { ENGINE_CHOICES } from '../../../../shared/engine/engine.ts'

describe('common options', () => {
  it('should offer exactly the engines there are, auto by default', () => {
    expect(ENGINE_OPTION.unwrap().options).toEqual([...ENGINE_CHOICES])
    expect(ENGINE_OPTION.parse(undefined)).toBe('auto')
  })

  it('should not repeat the password of a database address that is wrong', () => {
    const database = 'mysql://graft:hunter2@db/graft'
    const parse = () => parseOptions({ database: DATABASE_OPTION }, { database })
    expect(parse).toThrow('--database is not allowed: must begin with postgres://')
    expect(parse).not.toThrow(/hunter2/)
  })

  it.each(['postgres://db/graft', 'postgresql://graft@db:5432/graft'])(
    'should take the database %s',
    (database) => {
      expect(DATABASE_OPTION.parse(database)).toBe(database)
    },
  )

  it.each([
    { schema: HOME_OPTION, value: '' },
    { schema: JSON_OPTION, value: '' },
    { schema: JSON_OPTION, value: false },
  ])('should refuse $value', ({ schema, value }) => {
    expect((schema as z.ZodType).safeParse(value).success).toBe(false)
  })
})
