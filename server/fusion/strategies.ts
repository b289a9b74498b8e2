import { GraftError } from '../../shared/errors.ts'
import { auto } from './auto.ts'
import { ensemble } from './ensemble.ts'
import { fedadam } from './fedadam.ts'
import { fedavg } from './fedavg.ts'
import { fedavgm } from './fedavgm.ts'
import { feddf } from './feddf.ts'
import { fedprox } from './fedprox.ts'
import { gitRebasin } from './git-rebasin.ts'
import { hfLinear } from './hf-linear.ts'
import { kfGradient } from './kf-gradient.ts'
import { kfLinear } from './kf-linear.ts'
import { krum } from './krum.ts'
import { median } from './median.ts'
import { neuronTransplantation } from './neuron-transplantation.ts'
import { otFusion } from './otfusion.ts'
import { scaffold } from './scaffold.ts'
import { chooseOptions } from './strategy-options.ts'
import type { Strategy } from './strategy.ts'
import { trimmedMean } from './trimmed-mean.ts'

/** Every strategy, by the name that `--strategy` takes. A new one is its file, a line here and a test. */
export const STRATEGIES = {
  fedavg,
  nt: neuronTransplantation,
  'hf-linear': hfLinear,
  'kf-linear': kfLinear,
  'kf-gradient': kfGradient,
  otfusion: otFusion,
  'git-rebasin': gitRebasin,
  median,
  'trimmed-mean': trimmedMean,
  krum,
  feddf,
  fedprox,
  fedavgm,
  fedadam,
  scaffold,
  auto,
  ensemble,
} as const satisfies Record<string, Strategy>

export interface ParsedStrategy {
  readonly strategy: Strategy
  /** Every option of the strategy, given or default. */
  readonly options: Readonly<Record<string, string>>
}

/**
 * Reads `NAME` or `NAME:OPTION=VALUE:...`, as in `nt:tree=joint:variant=prune-merge`.
 *
 * @throws GraftError GRAFT_STRATEGY_UNKNOWN naming the strategies, options or values there are
 */
export function parseStrategy(spec: string): ParsedStrategy {
  const [name = '', ...words] = spec.split(':')
  if (!isName(name)) {
    throw new GraftError(
      'GRAFT_STRATEGY_UNKNOWN',
      `There is no strategy "${name}", only ${Object.keys(STRATEGIES).join(', ')}.`,
    )
  }
  const strategy: Strategy = STRATEGIES[name]
  return { strategy, options: chooseOptions(name, strategy.options, readOptions(name, words)) }
}

/**
 * As {@link parseStrategy}, for networks that are trained already, outside of a federation's rounds.
 *
 * @throws GraftError GRAFT_STRATEGY_UNKNOWN for a strategy that is for rounds only, too
 */
export function parseMethod(spec: string): ParsedStrategy {
  const parsed = parseStrategy(spec)
  const { name, onlyInRounds } = parsed.strategy
  if (onlyInRounds === undefined) return parsed
  throw new GraftError('GRAFT_STRATEGY_UNKNOWN', `${name} ${onlyInRounds}.`)
}

function isName(name: string): name is keyof typeof STRATEGIES {
  return Object.hasOwn(STRATEGIES, name)
}

function readOptions(strategy: string, words: readonly string[]): Record<string, string> {
  const pairs = words.map((word) => {
    const [option, value, ...rest] = word.split('=')
    if (!option || !value || rest.length > 0) {
      throw new GraftError(
        'GRAFT_STRATEGY_UNKNOWN',
        `"${word}" is no option of ${strategy}: write ${strategy}:OPTION=VALUE.`,
      )
    }
    return [option, value] as const
  })
  const twice = pairs.find(([option], i) => pairs.findIndex(([other]) => other === option) !== i)
  if (twice !== undefined) {
    throw new GraftError('GRAFT_STRATEGY_UNKNOWN', `${strategy} is given ${twice[0]} twice.`)
  }
  return Object.fromEntries(pairs)
}
