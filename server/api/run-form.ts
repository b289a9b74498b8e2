import type { z } from 'zod'
import { kebab, parseOptions } from '../../shared/command/command.ts'
import { describeOption, type OptionDescription } from '../../shared/command/describe-option.ts'
import { RUN_OPTIONS } from '../../shared/command/run-options.ts'
import { GraftError } from '../../shared/errors.ts'
import type { RunFormOption } from '../../shared/protocol/operator/resources.ts'
import type { RunSettings } from '../../shared/protocol/run-settings.ts'

export type RunOptions = z.infer<z.ZodObject<typeof RUN_OPTIONS>>
type Given = Readonly<Record<string, string | number | boolean | null>>

/** The form of a new run: the options of the command line, and no other. */
export interface RunForm {
  readonly options: readonly RunFormOption[]
  /** @throws GraftError GRAFT_OPTION_INVALID naming each fault, as the command line does */
  readonly toSettings: (given: Given) => RunSettings
}

/** They name files of the coordinator's machine, which an operator far away must not choose, or say how these are read. */
const FILES = ['data', 'label', 'imageSize', 'channels', 'arrays', 'from', 'layout'] as const

/**
 * @param said options of the coordinator's own command line: the form's defaults
 * @param toSettings settings of parsed options, with data and models that the command line has opened
 * @param alsoFixed options that the command line decides beyond those that name files, as `model` when it is a path
 */
export function createRunForm(
  said: RunOptions,
  toSettings: (options: RunOptions) => RunSettings,
  alsoFixed: readonly (keyof RunOptions)[] = [],
): RunForm {
  const fixed = new Set<string>([...FILES, ...alsoFixed])
  const names = Object.keys(RUN_OPTIONS)

  function refuseFixed(name: string, value: unknown): void {
    if (!fixed.has(name) || value === said[name as keyof RunOptions]) return
    throw invalid(
      `--${kebab(name)} is for the command line of the coordinator, as it names or describes files of its machine.`,
    )
  }

  return {
    options: Object.entries(RUN_OPTIONS).map(([name, schema]) => {
      const description = describeOption(name, schema)
      const isFixed = fixed.has(name)
      return { ...description, default: defaultOf(name, said, description), isFixed }
    }),

    toSettings(given) {
      const unknown = Object.keys(given).find((name) => !names.includes(name))
      if (unknown !== undefined) {
        throw invalid(`A run has no option ${unknown}; it has ${names.join(', ')}.`)
      }
      const values: Record<string, unknown> = { ...said }
      for (const [name, value] of Object.entries(given)) {
        // A flag that is off, and a field that was left empty, are options that nobody gave.
        const wanted = value === false || value === null || value === '' ? undefined : value
        if (wanted !== undefined) refuseFixed(name, wanted)
        if (wanted !== undefined || !fixed.has(name)) values[name] = wanted
      }
      return toSettings(parseOptions(RUN_OPTIONS, values))
    },
  }
}

function defaultOf(
  name: string,
  said: RunOptions,
  description: OptionDescription,
): RunFormOption['default'] {
  return said[name as keyof RunOptions] ?? (description.type === 'flag' ? false : null)
}

function invalid(problem: string): GraftError {
  return new GraftError('GRAFT_OPTION_INVALID', problem)
}
