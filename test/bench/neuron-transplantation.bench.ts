// Milliseconds of Neuron Transplantation: Graft's `nt`, beside building the whole concatenation in plain
// arrays and pruning that, and beside the reference's way (concatenate, then Torch-Pruning) where python3 can
// import torch and torch_pruning. Cold is the first call in a fresh process, with the graph of the network;
// warm is later calls with the graph at hand, as in a run of several rounds.
//
//   npm run --silent tools && node dist/tools/test/bench/neuron-transplantation.bench.js
import { execFileSync, spawnSync } from 'node:child_process'
import { cpus, loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { neuronTransplantation } from '../../server/fusion/neuron-transplantation.ts'
import type { Parent } from '../../server/fusion/strategy.ts'
import { parseArchitecture } from '../../shared/model/architectures.ts'
import { buildModel } from '../../shared/model/build-model.ts'
import { neuronGraph } from '../../shared/model/neuron-graph.ts'
import { weightSpecs } from '../../shared/model/weight-specs.ts'
import { sizeOf, type Weights } from '../../shared/model/weights.ts'
import { createRng } from '../../shared/numeric/rng.ts'
import { concatenateThenPrune } from './concatenate-then-prune.ts'

const COLD_RUNS = 5
const WARM_RUNS = 9
const SEED = 'bench'
const CASES = [
  [2, [784, 256, 10]],
  [4, [784, 256, 10]],
  [8, [784, 256, 10]],
  [2, [3072, 512, 512, 10]],
  [2, [3072, 2048, 2048, 10]],
] as const satisfies readonly (readonly [number, readonly number[]])[]

type Case = readonly [count: number, sizes: readonly number[]]
const CONTESTANTS = { graft: transplant, plain: concatenate } as const
type Contestant = keyof typeof CONTESTANTS

/** First call, then the later ones, in milliseconds. */
type Times = readonly [number, ...number[]]

const [contestant, chosen] = process.argv.slice(2)
if (contestant === undefined) await compareAll()
else
  console.log(JSON.stringify(await CONTESTANTS[contestant as Contestant](CASES[Number(chosen)]!)))

async function compareAll(): Promise<void> {
  const hasTorch = spawnSync('python3', ['-c', 'import torch, torch_pruning']).status === 0
  console.log(
    `Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'CPU'}, seed ${SEED}`,
  )
  if (!hasTorch) console.log('No reference: `pip install torch torch_pruning` to compare with it.')
  for (const [index, [count, sizes]] of CASES.entries()) {
    const shown = [`${count} of ${sizes.join('-')}`.padEnd(24)]
    const medians: Record<string, { cold: number; warm: number }> = {}
    const runs = new Map<string, () => Times>([
      ['graft', () => inFreshProcess('graft', index)],
      ['plain', () => inFreshProcess('plain', index)],
      ...(hasTorch ? [['torch', () => inPython(count, sizes)] as const] : []),
    ])
    const times = new Map([...runs.keys()].map((name): [string, Times[]] => [name, []]))
    for (let run = 0; run < COLD_RUNS; run++) {
      for (const [name, measure] of runs) times.get(name)!.push(measure())
    }
    for (const [name, of] of times) {
      const [cold, warm] = [of.map(([first]) => first), of.flatMap(([, ...later]) => later)]
      medians[name] = { cold: median(cold), warm: median(warm) }
      shown.push(`${name} cold ${ms(median(cold))} warm ${ms(median(warm))}`)
    }
    for (const name of runs.keys()) {
      if (name === 'graft') continue
      const ratio = (kind: 'cold' | 'warm') =>
        (medians['graft']![kind] / medians[name]![kind]).toFixed(2)
      shown.push(`graft/${name} cold ${ratio('cold')} warm ${ratio('warm')}`)
    }
    console.log(`${shown.join('; ')}; load ${loadavg()[0]?.toFixed(1) ?? '?'}`)
  }
}

function inFreshProcess(name: Contestant, index: number): Times {
  const self = fileURLToPath(import.meta.url)
  return parse(execFileSync(process.execPath, [self, name, String(index)], { encoding: 'utf8' }))
}

function inPython(count: number, sizes: readonly number[]): Times {
  const script = 'test/bench/neuron-transplantation.py'
  const words = [script, String(count), String(WARM_RUNS), ...sizes.map(String)]
  return parse(execFileSync('python3', words, { encoding: 'utf8' }))
}

async function transplant([count, sizes]: Case): Promise<Times> {
  const parents = parentsOf(count, sizes)
  const model = buildModel(architectureOf(sizes), createRng(SEED))
  let graph: ReturnType<typeof neuronGraph> | undefined
  return times(async () => {
    graph ??= neuronGraph(model)
    await neuronTransplantation.fuse({ parents, graph, options: {}, rng: createRng(SEED) })
  })
}

async function concatenate([count, sizes]: Case): Promise<Times> {
  const loaded = await Promise.all(parentsOf(count, sizes).map((parent) => parent.load()))
  return times(async () => void concatenateThenPrune(loaded, sizes))
}

async function times(run: () => Promise<void>): Promise<Times> {
  const measured: number[] = []
  for (let i = 0; i <= WARM_RUNS; i++) {
    const start = performance.now()
    await run()
    measured.push(performance.now() - start)
  }
  return measured as [number, ...number[]]
}

function parentsOf(count: number, sizes: readonly number[]): Parent[] {
  return Array.from({ length: count }, (_, k) => {
    const weights = randomWeights(sizes, k)
    return {
      id: `p${k}`,
      numExamples: 1,
      classCounts: new Array<number>(sizes.at(-1)!).fill(1),
      scores: [],
      load: async () => weights,
    }
  })
}

function randomWeights(sizes: readonly number[], k: number): Weights {
  const rng = createRng(`${SEED}/${k}`)
  return weightSpecs(architectureOf(sizes)).map(({ name, shape }) => ({
    name,
    shape,
    data: Float32Array.from({ length: sizeOf(shape) }, () => 2 * rng.next() - 1),
  }))
}

function architectureOf(sizes: readonly number[]) {
  const data = { inputShape: [sizes[0]!], numClasses: sizes.at(-1)! }
  return parseArchitecture(`mlp:${sizes.join('-')}`, data)
}

function parse(text: string): Times {
  return JSON.parse(text) as Times
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN
}
