/**
 * Graft as a library: fuse networks, follow their neurons, score them, read and write them. Importing it
 * starts nothing; call `startEngine` before the first tensor.
 *
 * Networks are `tf.LayersModel` of the `@tensorflow/tfjs` that Graft itself has. Who makes a model or a
 * tensor disposes of it; what is passed in stays the caller's.
 */

// Fusion
export { compare, fuse } from './server/offline/fuse.ts'
export type { FuseInput, FuseParent } from './server/offline/fuse.ts'
export type { DiversityReport } from './shared/protocol/diversity-report.ts'
export { STRATEGIES } from './server/fusion/strategies.ts'
export { parentShares } from './server/fusion/ledger.ts'
export type { Contribution, Ledger, LedgerGroup } from './server/fusion/ledger.ts'
export type { Fusion, ProxyExamples, Strategy } from './server/fusion/strategy.ts'

// Neurons
export { headGroup, neuronGraph, widthsOf } from './shared/model/neuron-graph.ts'
export type { NeuronGraph, NeuronGroup } from './shared/model/neuron-graph.ts'
export type { AxisLayout, NeuronAxis, Role } from './shared/model/neurons.ts'
export type { Level } from './shared/model/levels.ts'
export { attribute } from './shared/attribution/attribute.ts'
export { SCORER_NAMES } from './shared/attribution/scorer-names.ts'
export type { ScorerName } from './shared/attribution/scorer-names.ts'

// Engine
export { startEngine } from './shared/engine/engine.ts'
export type { Engine, EngineChoice } from './shared/engine/engine.ts'

// Models and files
export { parseArchitecture } from './shared/model/architectures.ts'
export type { Architecture, DataShape } from './shared/model/architecture.ts'
export { buildModel } from './shared/model/build-model.ts'
export { registerLayers } from './shared/model/layers/register-layers.ts'
export { readWeights, writeWeights } from './shared/model/weights.ts'
export type { NamedShape, NamedTensor, Weights } from './shared/model/weights.ts'
export { decodeSafetensors, encodeSafetensors } from './shared/model/safetensors.ts'
export { fromTorch, toTorch } from './shared/model/torch-layout.ts'
export { readLayersModel, writeLayersModel } from './shared/model-files/layers-model-folder.ts'

// Examples
export { arrayExamples } from './shared/data/array-examples.ts'
export { loadDataset } from './shared/data/datasets.ts'
export type { LoadDatasetOptions } from './shared/data/datasets.ts'
export { countClasses, subset } from './shared/data/subset.ts'
export type { Dataset, ExampleSet } from './shared/data/example-set.ts'
export { fit } from './shared/training/fit.ts'
export type { FitOptions } from './shared/training/fit.ts'
export { evaluate } from './shared/training/evaluate.ts'
export type { Evaluation } from './shared/training/evaluate.ts'

// Randomness and errors
export { createRng } from './shared/numeric/rng.ts'
export type { Rng } from './shared/numeric/rng.ts'
export { GraftError } from './shared/errors.ts'
export type { ErrorCode } from './shared/errors.ts'
