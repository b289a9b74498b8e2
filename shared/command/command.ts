import { Command, Option } from 'commander'
import { z } from 'zod'
import { type EnvironmentVariable, readEnvironment } from '../config.ts'
import { GraftError } from '../errors.ts'

/** What `--help` shows of an option besides its description; attach with `.meta({...})`. */
export interface OptionMeta {
  /** Placeholder of the value, as in `--port <N>`. */
  value?: string
  /** Environment variable that stands in when the option is not given. */
  env?: EnvironmentVariable
  /** The value is never printed, not even when it is wrong. */
  secret?: true
  /** Not in `--help`: for `graft` processes that start others. */
  hidden?: true
}

export interface CommandSpec<Shape extends z.ZodRawShape> {
  name: string
  summary: string
  /** Whole command lines, shown under --help. */
  examples: readonly [string, ...string[]]
  /** Positional arguments, in order; each must be a key of `options`. One that takes a list comes last. */
  args?: readonly (keyof Shape & string)[]
  /** One schema a option, in camelCase; `.describe()` is its help line. */
  options: Shape
  run(options: z.infer<z.ZodObject<Shape>>): Promise<void> | void
}

/**
 * One subcommand: commander reads the words and writes the help, the zod schema decides what is valid.
 * A value comes from the command line, else from the option's environment variable, else its default.
 *
 * @throws GraftError GRAFT_OPTION_INVALID, from the parse, naming the option and what is allowed
 */
export function defineCommand<Shape extends z.ZodRawShape>(spec: CommandSpec<Shape>): Command {
  const command = new Command(spec.name).summary(spec.summary).description(spec.summary)
  command.allowExcessArguments(false).showHelpAfterError(false)
  for (const [key, schema] of Object.entries(spec.options)) {
    const described = schema as z.ZodType
    if (spec.args?.includes(key)) command.argument(toArgument(key, described), helpLine(described))
    else command.addOption(toOption(key, described))
  }
  command.addHelpText(
    'after',
    `\nExamples:\n${spec.examples.map((line) => `  $ ${line}`).join('\n')}`,
  )
  command.action(async (...words: unknown[]) => {
    const given: Record<string, unknown> = { ...command.opts() }
    spec.args?.forEach((key, i) => {
      const word = words[i]
      // A list without words counts as absent, as a single word does.
      if (word !== undefined && !(Array.isArray(word) && word.length === 0)) given[key] = word
    })
    await spec.run(parseOptions(spec.options, given))
  })
  return command
}

/** Parses what was given against the schema, filling from the environment; one line for each fault. */
export function parseOptions<Shape extends z.ZodRawShape>(
  shape: Shape,
  given: Readonly<Record<string, unknown>>,
): z.infer<z.ZodObject<Shape>> {
  const values: Record<string, unknown> = {}
  const sources: Record<string, string> = {}
  for (const [key, schema] of Object.entries(shape)) {
    const env = metaOf(schema as z.ZodType).env
    const fromEnvironment = env === undefined ? undefined : readEnvironment(env)
    values[key] = given[key] ?? fromEnvironment
    sources[key] =
      given[key] === undefined && fromEnvironment !== undefined ? env! : `--${kebab(key)}`
  }
  const parsed = z.strictObject(shape).safeParse(values)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map((issue) => {
    const key = String(issue.path[0])
    return `${sources[key] ?? key} ${describeFault(values[key], shape[key])}: ${issue.message}.`
  })
  throw new GraftError('GRAFT_OPTION_INVALID', faults.join(' '))
}

function describeFault(value: unknown, schema: z.core.$ZodType | undefined): string {
  if (value === undefined) return 'is missing'
  const isSecret = schema !== undefined && metaOf(schema as z.ZodType).secret === true
  return isSecret ? 'is not allowed' : `${JSON.stringify(value)} is not allowed`
}

/** A number on the command line: text in, number out, with the bounds of `schema`. */
export function numeric<Schema extends z.ZodType<number, number>>(schema: Schema) {
  return z.preprocess(
    (value) => (typeof value === 'string' && value.trim() !== '' ? Number(value) : value),
    schema,
  )
}

function toArgument(key: string, schema: z.ZodType): string {
  return takesList(schema) ? `[${kebab(key)}...]` : `[${kebab(key)}]`
}

function takesList(schema: z.ZodType): boolean {
  const wrapped = schema instanceof z.ZodDefault || schema instanceof z.ZodOptional
  return wrapped ? takesList(schema.unwrap() as z.ZodType) : schema instanceof z.ZodArray
}

function toOption(key: string, schema: z.ZodType): Option {
  const { value, env, hidden } = metaOf(schema)
  const isFlag = acceptsTrue(schema) && value === undefined
  const flags = isFlag ? `--${kebab(key)}` : `--${kebab(key)} <${value ?? 'VALUE'}>`
  const suffix = env === undefined ? '' : ` (env ${env})`
  // A value that may be left out, as in `--json [FILE]`.
  return new Option(optionalValue(flags, value), `${helpLine(schema)}${suffix}`).hideHelp(
    hidden === true,
  )
}

function optionalValue(flags: string, value: string | undefined): string {
  return value?.startsWith('[') ? flags.replace(`<${value}>`, value) : flags
}

function helpLine(schema: z.ZodType): string {
  const fallback = schema.safeParse(undefined)
  const hasDefault = fallback.success && fallback.data !== undefined && fallback.data !== false
  return `${metaOf(schema).description ?? ''}${hasDefault ? ` (default ${String(fallback.data)})` : ''}`
}

/** Whether it is a flag, or may be given without a value. */
export function acceptsTrue(schema: z.ZodType): boolean {
  return schema.safeParse(true).success
}

/** `.default()` and `.optional()` wrap a schema and leave what was attached to it inside: look there too. */
export function metaOf(schema: z.ZodType): OptionMeta & { description?: string } {
  const wrapped = schema instanceof z.ZodDefault || schema instanceof z.ZodOptional
  const inner = wrapped ? metaOf(schema.unwrap() as z.ZodType) : {}
  return { ...inner, ...schema.meta() } as OptionMeta & { description?: string }
}

export function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
