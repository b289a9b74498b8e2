import type { ExampleSet } from '../../shared/data/example-set.ts'
import { subset } from '../../shared/data/subset.ts'
import { GraftError } from '../../shared/errors.ts'
import type { NeuronGraph } from '../../shared/model/neuron-graph.ts'
import type { Weights } from '../../shared/model/weights.ts'
import { type Evaluation, judge } from '../../shared/training/evaluate.ts'
import { isBetter } from '../../shared/training/is-better.ts'
import { predictWith } from '../../shared/training/predict.ts'
import { measureDiversity } from './diversity.ts'
import { toEngine } from './engine-weights.ts'
import { fedavg } from './fedavg.ts'
import { type Forecast, forecastTransplantation } from './forecast.ts'
import { gitRebasin } from './git-rebasin.ts'
import { hfLinear } from './hf-linear.ts'
import { kfGradient } from './kf-gradient.ts'
import { kfLinear } from './kf-linear.ts'
import { neuronTransplantation } from './neuron-transplantation.ts'
import { otFusion } from './otfusion.ts'
import { chooseOptions, specOf } from './strategy-options.ts'
import type { Fusion, FusionInput, Parent, Strategy } from './strategy.ts'

interface Candidate {
  readonly strategy: Strategy
  readonly options: Readonly<Record<string, string>>
}

const OPTIONS = {
  /** `closed-form` leaves out what trains, and takes a fraction of the time. */
  try: ['all', 'closed-form'],
} as const

/** In order of preference, for those that score alike: the cheaper first. */
const CANDIDATES: readonly Candidate[] = [
  { strategy: fedavg, options: {} },
  { strategy: neuronTransplantation, options: {} },
  { strategy: neuronTransplantation, options: { importance: 'attribution' } },
  { strategy: kfLinear, options: {} },
  { strategy: kfLinear, options: { scores: 'uniform' } },
  { strategy: hfLinear, options: {} },
  { strategy: gitRebasin, options: {} },
  { strategy: otFusion, options: {} },
  // The settings that NI's results hang on most.
  ...['1e-3', '3e-3'].flatMap((rate) =>
    ['shares', 'mean'].map((head) => ({ strategy: kfGradient, options: { rate, head } })),
  ),
]

/**
 * Tries what fits the parents and keeps what is best on the held-out part of the proxy set, by accuracy, then
 * loss. Candidates learn from the other part alone. Neuron Transplantation is left out where its forecast
 * says that the parents are too much alike.
 */
export const auto: Strategy = {
  name: 'auto',
  holds: 'networks',
  summary: 'tries the others and keeps the best on held-out proxy examples',
  paper: 'arXiv 2507.00037 and 2502.06849, the methods it tries',
  options: OPTIONS,
  usesHeldOut: true,
  fuse,
}

interface Tried {
  readonly name: string
  readonly fusion: Fusion
  readonly heldOut: Evaluation
}

async function fuse(input: FusionInput): Promise<Fusion> {
  const { parents, graph, signal, onProgress, rng } = input
  const { try: which } = chooseOptions('auto', OPTIONS, input.options)
  const { train, heldOut } = proxyOf(input)
  const own = { ...input, proxy: { train, heldOut: subset(heldOut, []) } }
  const forecast = forecastTransplantation(await measureDiversity(own))
  const tried: Tried[] = []
  const refused: string[] = []
  for (const { strategy, options: given } of CANDIDATES) {
    signal?.throwIfAborted()
    const name = specOf(strategy.name, given)
    if (which === 'closed-form' && strategy === kfGradient) continue
    if (!isWorthTrying({ strategy, options: given }, parents, forecast)) continue
    onProgress?.(`trying ${name}`)
    const options = chooseOptions(strategy.name, strategy.options, given)
    try {
      strategy.check?.(graph, { fewest: parents.length, most: parents.length }, options)
      const fusion = await strategy.fuse({ ...own, options, rng: rng.split(name) })
      tried.push({ name, fusion, heldOut: await judgeOn(heldOut, fusion.weights, graph) })
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof GraftError)) throw error
      refused.push(name)
    }
  }
  if (tried.length === 0) {
    throw new GraftError(
      'GRAFT_STRATEGY_UNSUITABLE',
      `auto found no strategy that fuses these parents: ${refused.join(', ')} refuse.`,
    )
  }
  const [best, second] = ranked(tried)
  const parent = await bestParent(parents, graph, heldOut)
  const reason = reasonFor({ best: best!, second, parent, tried, refused, forecast, heldOut })
  return { ...best!.fusion, reason }
}

function proxyOf({ proxy }: FusionInput): NonNullable<FusionInput['proxy']> {
  if (proxy !== undefined && proxy.heldOut.labels.length > 0 && proxy.train.labels.length > 0) {
    return proxy
  }
  throw new GraftError(
    'GRAFT_OPTION_INVALID',
    'auto judges its candidates on held-out proxy examples, and there are none: give it a proxy set.',
  )
}

/** What would come out as another candidate does, or what is foreseen to fail, is not tried. */
function isWorthTrying(
  { strategy, options }: Candidate,
  parents: readonly Parent[],
  forecast: Forecast | null,
): boolean {
  const areScored = parents.every(({ scores }) => scores.length > 0)
  if (strategy === neuronTransplantation && forecast?.isDiverseEnough === false) return false
  if (options['importance'] === 'attribution' || options['scores'] === 'uniform') return areScored
  return true
}

async function judgeOn(
  examples: ExampleSet,
  weights: Weights,
  graph: NeuronGraph,
): Promise<Evaluation> {
  const onEngine = toEngine(weights)
  try {
    return judge(await predictWith(graph.ops, onEngine.source, examples), examples)
  } finally {
    onEngine.dispose()
  }
}

function ranked(tried: readonly Tried[]): Tried[] {
  return tried.toSorted((a, b) => {
    if (isBetter(a.heldOut, b.heldOut)) return -1
    return isBetter(b.heldOut, a.heldOut) ? 1 : 0
  })
}

async function bestParent(
  parents: readonly Parent[],
  graph: NeuronGraph,
  heldOut: ExampleSet,
): Promise<{ readonly id: string; readonly heldOut: Evaluation }> {
  const judged = []
  for (const parent of parents) {
    judged.push({ id: parent.id, heldOut: await judgeOn(heldOut, await parent.load(), graph) })
  }
  return judged.reduce((a, b) => (isBetter(b.heldOut, a.heldOut) ? b : a))
}

interface Decision {
  readonly best: Tried
  readonly second: Tried | undefined
  readonly parent: { readonly id: string; readonly heldOut: Evaluation }
  readonly tried: readonly Tried[]
  readonly refused: readonly string[]
  readonly forecast: Forecast | null
  readonly heldOut: ExampleSet
}

/** One sentence with the numbers that decided. */
function reasonFor(decision: Decision): string {
  const { best, second, parent, tried, refused, forecast, heldOut } = decision
  const isAbove = isBetter(best.heldOut, parent.heldOut)
  const margin =
    second === undefined
      ? 'nothing else could be tried'
      : `${second.name}, the next of ${tried.length} tried, has ${percent(second.heldOut)}`
  const excluded = [
    ...(forecast?.isDiverseEnough === false
      ? ['nt was left out, as the parents are too alike']
      : []),
    ...(refused.length > 0 ? [`${refused.join(', ')} cannot fuse these parents`] : []),
  ]
  return [
    `auto took ${best.name}, right on ${percent(best.heldOut)} of ${heldOut.labels.length} held-out proxy examples`,
    margin,
    `the best parent, ${parent.id}, has ${percent(parent.heldOut)}${isAbove ? '' : ' and is not beaten'}`,
    ...excluded,
  ]
    .join('; ')
    .concat('.')
}

const percent = ({ accuracy }: Evaluation): string => `${(100 * accuracy).toFixed(1)} %`
