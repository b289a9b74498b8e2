import { readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { kfLinear } from '../../../server/fusion/kf-linear.ts'
import { neuronTransplantation } from '../../../server/fusion/neuron-transplantation.ts'
import type { FusionInput, Parent, Strategy } from '../../../server/fusion/strategy.ts'
import { attribute } from '../../../shared/attribution/attribute.ts'
import { arrayExamples } from '../../../shared/data/array-examples.ts'
import type { ExampleSet } from '../../../shared/data/example-set.ts'
import { startEngine } from '../../../shared/engine/engine.ts'
import type { Architecture, DataShape } from '../../../shared/model/architecture.ts'
import { buildModel } from '../../../shared/model/build-model.ts'
import { neuronGraph } from '../../../shared/model/neuron-graph.ts'
import { decodeSafetensors, encodeSafetensors } from '../../../shared/model/safetensors.ts'
import { fromTorch, toTorch } from '../../../shared/model/torch-layout.ts'
import { type NamedTensor, type Weights, writeWeights } from '../../../shared/model/weights.ts'
import { createRng } from '../../../shared/numeric/rng.ts'

/** What Graft is asked for: as the papers have it, or as it is shipped. */
export const TASKS = [
  'conductance',
  'nt',
  'nt as shipped',
  'kf-linear',
  'kf-linear as shipped',
] as const
export type Task = (typeof TASKS)[number]

/** One run of a task, in milliseconds. */
export interface Run {
  /** By the clock. */
  readonly wall: number
  /** Of the processor, all threads together. */
  readonly cpu: number
}

/**
 * Graft's side of reference.bench.ts, the counterpart of serve.py: loads the networks and images in a file,
 * says `ready`, then runs a task once for each line on stdin and prints its times.
 */
export async function serve(task: Task, file: string, architecture: Architecture): Promise<void> {
  await startEngine('native')
  const run = prepare(task, readFileSync(file), architecture)
  console.log('ready')
  for await (const path of createInterface({ input: process.stdin })) {
    const [start, used] = [performance.now(), process.cpuUsage()]
    const result = await run()
    const { user, system } = process.cpuUsage(used)
    const times: Run = { wall: performance.now() - start, cpu: (user + system) / 1000 }
    if (path !== '') writeFileSync(path, encodeSafetensors(result(), {}))
    console.log(JSON.stringify(times))
  }
}

type Prepared = () => Promise<() => Weights>

function prepare(task: Task, bytes: Uint8Array, architecture: Architecture): Prepared {
  const { tensors } = decodeSafetensors(bytes)
  const networks = networksIn(tensors, architecture)
  const examples = examplesIn(tensors, architecture)
  const model = buildModel(architecture, createRng(task))
  if (task === 'conductance') {
    writeWeights(model, networks[0]!)
    return async () => {
      const scores = await attribute('conductance', model, examples)
      return () => scores.map((data, i) => ({ name: `scores.${i}`, shape: [data.length], data }))
    }
  }
  let graph: FusionInput['graph'] | undefined
  const [strategy, options] = STRATEGIES[task]
  const parents = networks.map((weights, k) => parentOf(weights, k, examples))
  const proxy = { train: examples, heldOut: examples }
  return async () => {
    graph ??= neuronGraph(model)
    const input = { parents, graph, options, proxy, rng: createRng(task) }
    const { weights } = await strategy.fuse(input)
    return () => toTorch(weights, architecture)
  }
}

const STRATEGIES: Record<Exclude<Task, 'conductance'>, [Strategy, Record<string, string>]> = {
  nt: [neuronTransplantation, { tree: 'joint', head: 'mean' }],
  'nt as shipped': [neuronTransplantation, {}],
  'kf-linear': [kfLinear, { scores: 'uniform', head: 'scores', prior: 'none' }],
  'kf-linear as shipped': [kfLinear, {}],
}

/** `parents.0.fc1.weight` and so on, in PyTorch's layout. */
function networksIn(tensors: readonly NamedTensor[], architecture: Architecture): Weights[] {
  const networks: Weights[] = []
  for (;;) {
    const prefix = `parents.${networks.length}.`
    const own = tensors.filter(({ name }) => name.startsWith(prefix))
    if (own.length === 0) return networks
    const renamed = own.map((of) => ({ ...of, name: of.name.slice(prefix.length) }))
    networks.push(fromTorch(renamed, architecture))
  }
}

function examplesIn(tensors: readonly NamedTensor[], data: DataShape): ExampleSet {
  const [x, y] = ['x', 'y'].map((wanted) => tensors.find(({ name }) => name === wanted)!.data)
  return arrayExamples(data, x!, Int32Array.from(y!))
}

function parentOf(weights: Weights, k: number, { numClasses }: ExampleSet): Parent {
  return {
    id: `p${k}`,
    numExamples: 1,
    classCounts: new Array<number>(numClasses).fill(1),
    scores: [],
    load: async () => weights,
  }
}
