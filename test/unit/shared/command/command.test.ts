import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import {
  type CommandSpec,
  defineCommand,
  kebab,
  numeric,
  parseOptions,
} from '../../../../shared/command/command.ts'

const OPTIONS = {
  server: z
    .string()
    .regex(/^http/, 'must begin with http')
    .default('http://localhost')
    .describe('address')
    .meta({ value: 'URL', env: 'GRAFT_SERVER' }),
  batchSize: numeric(z.int().positive()).default(64).describe('examples').meta({ value: 'N' }),
  token: z.string().min(8).optional().meta({ value: 'TOKEN', env: 'GRAFT_TOKEN', secret: true }),
  insecure: z.literal(true).optional().describe('without TLS'),
  json: z
    .union([z.string(), z.literal(true)])
    .optional()
    .meta({ value: '[FILE]' }),
}

afterEach(() => {
  vi.unstubAllEnvs()
})

describe('defineCommand', () => {
  it('should read a list of words into the last argument', async () => {
    const options = { first: z.string().optional(), rest: z.array(z.string()).optional() }
    const spec = { options, args: ['first', 'rest'] as ('first' | 'rest')[] }
    expect(await run(['a', 'b', 'c'], spec)).toEqual({ first: 'a', rest: ['b', 'c'] })
    expect(await run(['a'], spec)).toEqual({ first: 'a' })
  })

  it.each([
    { words: [], given: {} },
    { words: ['--batch-size', '8'], given: { batchSize: 8 } },
    { words: ['--insecure'], given: { insecure: true } },
    { words: ['--json'], given: { json: true } },
    { words: ['--json', 'out.json'], given: { json: 'out.json' } },
    { words: ['--json', '--insecure'], given: { json: true, insecure: true } },
  ])('should read $words', async ({ words, given }) => {
    expect(await run(words)).toEqual({ server: 'http://localhost', batchSize: 64, ...given })
  })

  it('should take a value from the command line, else from the environment, else the default', async () => {
    vi.stubEnv('GRAFT_SERVER', 'http://environment')
    expect(await run(['--server', 'http://words'])).toMatchObject({ server: 'http://words' })
    expect(await run([])).toMatchObject({ server: 'http://environment' })
    // docker compose passes a variable that nobody set as an empty one.
    vi.stubEnv('GRAFT_SERVER', '')
    expect(await run([])).toMatchObject({ server: 'http://localhost' })
  })

  it('should read positional arguments in their order', async () => {
    const spec = { options: { first: z.string(), second: z.string().optional() } }
    const args = ['first', 'second'] as const
    expect(await run(['a', 'b'], { ...spec, args: [...args] })).toEqual({ first: 'a', second: 'b' })
    expect(await run(['a'], { ...spec, args: [...args] })).toEqual({ first: 'a' })
    await expect(run(['a', 'b', 'c'], { ...spec, args: [...args] })).rejects.toThrow(
      'too many arguments',
    )
  })

  it('should show each option with its placeholder, default and variable, and the examples', () => {
    const help = define({}).helpInformation()
    expect(help).toMatch(/--server <URL> +address \(default http:\/\/localhost\) \(env/)
    expect(help).toContain('--batch-size <N>')
    expect(help).toContain('--json [FILE]')
    expect(help).toMatch(/--insecure +without TLS\n/)

    let shown = ''
    define({})
      .configureOutput({ writeOut: (text) => (shown += text) })
      .outputHelp()
    expect(shown).toMatch(/\nExamples:\n {2}\$ graft try\n$/)
  })
})

describe('parseOptions', () => {
  it('should name the option or the variable, the value and what is allowed', () => {
    expect(() => parseOptions(OPTIONS, { batchSize: '0' })).toThrow(
      /^--batch-size "0" is not allowed: .*\(GRAFT_OPTION_INVALID\)$/,
    )
    vi.stubEnv('GRAFT_SERVER', 'ftp://x')
    expect(() => parseOptions(OPTIONS, {})).toThrow(
      'GRAFT_SERVER "ftp://x" is not allowed: must begin with http.',
    )
    // The command line wins, so the fault is its own.
    expect(() => parseOptions(OPTIONS, { server: 'gopher' })).toThrow('--server "gopher"')
  })

  it('should name every fault at once', () => {
    expect(() =>
      parseOptions({ ...OPTIONS, name: z.string() }, { batchSize: 'many', server: 'x' }),
    ).toThrow(/--server "x".*--batch-size "many".*--name is missing/)
  })

  it('should never repeat a secret, from wherever it came', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[!-~]{1,7}$/), (secret) => {
        const problem = faultOf(() => parseOptions(OPTIONS, { token: secret }))
        expect(problem).toMatch(/^--token is not allowed: /)
        expect(problem).toBe(faultOf(() => parseOptions(OPTIONS, { token: '' })))
      }),
    )
    vi.stubEnv('GRAFT_TOKEN', 'short')
    expect(faultOf(() => parseOptions(OPTIONS, {}))).toMatch(/^GRAFT_TOKEN is not allowed/)
  })

  it('should refuse what is no option', () => {
    expect(parseOptions({}, {})).toEqual({})
    expect(parseOptions({}, { stray: 1 })).toEqual({})
  })
})

describe('numeric', () => {
  it.each([
    ['12', 12],
    ['1e3', 1000],
    [' 5 ', 5],
    [7, 7],
  ])('should read %j', (given, value) => {
    expect(numeric(z.number()).parse(given)).toBe(value)
  })

  it.each(['', ' ', 'many', '1,5', 'NaN', 'Infinity', true])('should refuse %j', (given) => {
    expect(numeric(z.number()).safeParse(given).success).toBe(false)
  })

  it('should read back every number as text', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(numeric(z.number()).parse(String(value))).toBe(value === 0 ? 0 : value)
      }),
    )
  })
})

describe('kebab', () => {
  it('should spell an option as commander does', () => {
    expect(kebab('examplesPerClient')).toBe('examples-per-client')
    expect(kebab('seed')).toBe('seed')
  })
})

// Helpers

function define(changes: Partial<CommandSpec<z.ZodRawShape>>) {
  const options: z.ZodRawShape = OPTIONS
  return defineCommand({
    name: 'try',
    summary: 'a command to try',
    examples: ['graft try'],
    options,
    run: () => undefined,
    ...changes,
  })
}

/** What the command is run with. */
async function run(words: string[], changes: Partial<CommandSpec<z.ZodRawShape>> = {}) {
  let options: object = {}
  const command = define({ run: (given) => void (options = given), ...changes })
  await command
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .parseAsync(words, { from: 'user' })
  return options
}

function faultOf(parse: () => unknown): string {
  try {
    parse()
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('nothing was refused')
}
