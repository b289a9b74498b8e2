import { GraftError } from '../../shared/errors.ts'

type Allowed = Readonly<Record<string, readonly [string, ...string[]]>>

/** One value for each option, from those allowed. */
export type Chosen<Options extends Allowed> = {
  readonly [Name in keyof Options]: Options[Name][number]
}

/**
 * Checks the options given to a strategy and fills the others with their defaults.
 *
 * @param strategy its name, for the message
 * @param allowed each option with its values; the first is the default
 * @throws GraftError GRAFT_STRATEGY_UNKNOWN naming what is allowed
 */
export function chooseOptions<const Options extends Allowed>(
  strategy: string,
  allowed: Options,
  given: Readonly<Record<string, string>>,
): Chosen<Options> {
  for (const [name, value] of Object.entries(given)) {
    const values = Object.hasOwn(allowed, name) ? allowed[name] : undefined
    if (values?.includes(value) !== true) {
      throw new GraftError(
        'GRAFT_STRATEGY_UNKNOWN',
        `Strategy ${strategy} has no option ${name}=${value}; it has ${describeOptions(allowed)}.`,
      )
    }
  }
  const defaults = Object.entries(allowed).map(([name, [first]]) => [name, first] as const)
  return { ...Object.fromEntries(defaults), ...given } as Chosen<Options>
}

/** e.g. `variant=merge-prune|prune-merge, tree=hierarchical|joint`, the default first; or `none`. */
export function describeOptions(allowed: Allowed): string {
  const lines = Object.entries(allowed).map(([name, values]) => `${name}=${values.join('|')}`)
  return lines.join(', ') || 'none'
}

/** As `--strategy` takes it, as in `nt:variant=merge-prune:tree=joint`. */
export function specOf(strategy: string, options: Readonly<Record<string, string>>): string {
  return [strategy, ...Object.entries(options).map((pair) => pair.join('='))].join(':')
}
