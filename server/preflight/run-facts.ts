import { storedBytes, storedShapes } from '../../shared/model/encoded-weights.ts'
import { neuronGraph, type NeuronGraph, widthsOf } from '../../shared/model/neuron-graph.ts'
import { sizeOf } from '../../shared/model/weights.ts'
import { encodeProxySet } from '../../shared/protocol/proxy-set.ts'
import type { RunSettings } from '../../shared/protocol/run-settings.ts'
import { measureUpdate } from '../../shared/protocol/update.ts'
import { RoundNumber } from '../../shared/ids.ts'
import type { RunPlan } from '../coordinator/run-plan.ts'

/** What a forecast of a run is made of; bytes unless it says otherwise. */
export interface RunFacts {
  readonly settings: RunSettings
  /** Name of the strategy, without its options. */
  readonly strategy: string
  /** Weights as float32. */
  readonly model: number
  /** The same as clients get them: encoded. */
  readonly sent: number
  /** A client's update as a file. */
  readonly update: number
  /** What clients rehearse, as a file; 0 when they do not. */
  readonly proxyFile: number
  /** What all layers make of one example. */
  readonly activations: number
  /** What the widest layer makes of one example. */
  readonly widest: number
  /** Neurons of the largest group. */
  readonly width: number
  /** Neurons whose origin is written down. */
  readonly neurons: number
  /** Examples of the proxy set that are learnt from. */
  readonly numProxy: number
  readonly numHeldOut: number
  readonly numTest: number
  /** Examples that a client trains on, without those that it rehearses; of unequal clients the mean. */
  readonly numExamples: number
}

/** @throws GraftError GRAFT_LAYER_UNSUPPORTED as neuronGraph does */
export function factsOf(plan: RunPlan): RunFacts {
  const { settings, network, numTrain, proxy, test } = plan
  const model = network.build()
  let graph: NeuronGraph
  let outputs: number[]
  try {
    graph = neuronGraph(model)
    outputs = model.layers.map(({ outputShape }) =>
      [outputShape as (number | null)[]]
        .flat(2)
        .reduce<number>((size, dim) => size * (dim ?? 1), 4),
    )
  } finally {
    model.dispose()
  }
  const facts = {
    round: RoundNumber.parse(settings.rounds),
    architecture: network.name,
    numExamples: numTrain,
    classCounts: Array.from({ length: test.numClasses }, () => numTrain),
    scorer: settings.scorer,
  }
  const widths = widthsOf(graph)
  const { encoding = 'float32' } = settings
  const dealt = Math.floor((numTrain - settings.proxy) / settings.clients)
  return {
    settings,
    strategy: plan.strategy.strategy.name,
    model: 4 * network.weights.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    sent: storedBytes(storedShapes(network.weights, encoding)),
    update: measureUpdate(facts, { weights: network.weights, widths, encoding }).sizeBytes,
    proxyFile: settings.rehearse ? encodeProxySet(proxy.train).length : 0,
    activations: outputs.reduce((sum, bytes) => sum + bytes, 0),
    widest: Math.max(...outputs),
    width: Math.max(...widths),
    neurons: graph.groups.reduce((sum, { isHead, width }) => sum + (isHead ? 0 : width), 0),
    numProxy: proxy.train.labels.length,
    numHeldOut: proxy.heldOut.labels.length,
    numTest: test.labels.length,
    numExamples: Math.max(1, Math.min(dealt, settings.examplesPerClient ?? dealt)),
  }
}
