import { z } from 'zod'
import { acceptsTrue, kebab, metaOf } from './command.ts'

/** What a form has to know of an option to ask for it. */
export interface OptionDescription {
  /** In camel case. */
  name: string
  /** As on the command line. */
  flag: string
  type: 'text' | 'number' | 'choice' | 'flag'
  choices: (string | number)[] | null
  minimum: number | null
  maximum: number | null
  isInteger: boolean
  usage: string
  /** As in `--port <N>`. */
  placeholder: string | null
}

/** Reads the schema of an option of the command line; the schema stays the only place that says what is valid. */
export function describeOption(name: string, schema: z.ZodType): OptionDescription {
  const { description, value } = metaOf(schema)
  const json = jsonSchemaOf(schema)
  const choices = json.enum ?? json.anyOf?.flatMap((one) => one.const ?? []) ?? null
  const isNumber = json.type === 'number' || json.type === 'integer'
  return {
    name,
    flag: `--${kebab(name)}`,
    type: typeOf({ choices, isNumber, isFlag: value === undefined && acceptsTrue(schema) }),
    choices,
    minimum: json.minimum ?? json.exclusiveMinimum ?? null,
    maximum: json.maximum ?? null,
    isInteger: json.type === 'integer',
    usage: description ?? '',
    placeholder: value ?? null,
  }
}

interface JsonSchema {
  type?: string
  enum?: (string | number)[]
  anyOf?: { const?: string | number }[]
  minimum?: number
  exclusiveMinimum?: number
  maximum?: number
}

function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: 'output' }) as JsonSchema
}

function typeOf(of: {
  readonly choices: unknown
  readonly isNumber: boolean
  readonly isFlag: boolean
}): OptionDescription['type'] {
  if (of.isFlag) return 'flag'
  if (of.choices !== null) return 'choice'
  return of.isNumber ? 'number' : 'text'
}
