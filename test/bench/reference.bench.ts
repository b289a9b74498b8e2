// Graft beside the papers' way, in PyTorch (test/bench/reference), on the same networks and images: how much of
// the reference's time conductance, `nt` and `kf-linear` take.
//
//   npm run bench:reference [-- TASK...]       tasks: conductance, nt, kf-linear, ...; PYTHON names the Python
//
// Eight MLPs 784-256-10 are trained on MNIST, split among them by dirichlet:0.5; 400 other images are the proxy
// set. First the PyTorch code is checked against the golden fixtures. Then both sides run in turn, each in a
// process of its own: its first call is cold, later ones are warm. A ratio is the median over the turns of
// Graft's time divided by the reference's in the same turn, by the clock and by processor time, which other
// work on the machine disturbs least. With GRAFT_PAPERS the papers' own code runs as well, which is more than
// its steps: test/bench/reference/papers.py says how to get it.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { loadDataset } from '../../shared/data/datasets.ts'
import { drawBalanced } from '../../shared/data/draw.ts'
import type { Dataset } from '../../shared/data/example-set.ts'
import { partition } from '../../shared/data/partition.ts'
import { subset } from '../../shared/data/subset.ts'
import { startEngine } from '../../shared/engine/engine.ts'
import { parseArchitecture } from '../../shared/model/architectures.ts'
import { buildModel } from '../../shared/model/build-model.ts'
import { decodeSafetensors, encodeSafetensors } from '../../shared/model/safetensors.ts'
import { fromTorch, toTorch } from '../../shared/model/torch-layout.ts'
import {
  type NamedTensor,
  readWeights,
  type Weights,
  writeWeights,
} from '../../shared/model/weights.ts'
import { createRng } from '../../shared/numeric/rng.ts'
import { evaluate } from '../../shared/training/evaluate.ts'
import { fit } from '../../shared/training/fit.ts'
import { type Run, serve, type Task, TASKS } from './reference/contestant.ts'

const SEED = 'bench'
const PARENTS = 8
const IMAGES = { inputShape: [28, 28, 1], numClasses: 10 } as const
const MLP = parseArchitecture('mlp:784-256-10', IMAGES)
const PROXY = 400
const TRAINING = 8000
const SCRIPTS = 'test/bench/reference'
const PYTHON = process.env['PYTHON'] ?? 'python3'

/** What is compared: Graft's task, that of serve.py, pairs of fresh processes, and calls in each. */
const ROWS: readonly (readonly [Task, string, number, number])[] = [
  ['conductance', 'conductance', 5, 8],
  ['nt', 'nt', 7, 6],
  ['nt as shipped', 'nt', 7, 6],
  ['nt as shipped', 'nt, hierarchical', 7, 6],
  ['kf-linear', 'kf-linear', 3, 2],
  ['kf-linear as shipped', 'kf-linear', 3, 2],
  ['kf-linear', 'kf-linear, distances kept', 3, 2],
  ['kf-linear as shipped', 'kf-linear, distances kept', 3, 2],
]

/** Turns of one row: Graft's run and the reference's. */
type Turn = readonly [graft: Run, reference: Run]

const [, , first, ...others] = process.argv
if (first === 'serve') await serve(others[0] as Task, others[1]!, MLP)
else await compare(first === undefined ? TASKS : [first, ...others])

async function compare(tasks: readonly string[]): Promise<void> {
  if (spawnSync(PYTHON, ['-c', 'import torch, numpy']).status !== 0) {
    console.error(
      `${PYTHON} cannot import torch and numpy. Install them, as in a folder of their own,\n` +
        '  python3 -m venv venv && venv/bin/pip install torch numpy\n' +
        'and name that Python: PYTHON=venv/bin/python npm run bench:reference',
    )
    process.exitCode = 5
    return
  }
  execFileSync(PYTHON, [join(SCRIPTS, 'verify.py')], { stdio: ['ignore', 'inherit', 'inherit'] })
  const engine = await startEngine('native')
  console.log(`commit ${commit()}, seed ${SEED}, Node ${process.version}, ${engine.name}`)
  console.log(`${PYTHON}: ${torchVersion()}, ${cpus().length} x ${cpus()[0]?.model ?? 'CPU'}`)
  const folder = mkdtempSync(join(tmpdir(), 'graft-reference-'))
  try {
    const dataset = await loadDataset('mnist')
    const file = join(folder, 'networks.safetensors')
    writeFileSync(file, encodeSafetensors(await trainParents(dataset), {}))
    console.log('\nGraft / reference, cold and warm: by the clock (by processor time)')
    for (const row of ROWS.filter(([task]) => tasks.includes(task))) {
      await compareRow(row, 'serve.py', { folder, file, dataset })
      const hasPapers = process.env['GRAFT_PAPERS'] !== undefined && !row[1].endsWith('kept')
      if (hasPapers) await compareRow(row, 'papers.py', { folder, file, dataset })
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Networks by non-IID clients, and the images to look at. */
async function trainParents({ train, test }: Dataset): Promise<NamedTensor[]> {
  const rng = createRng(SEED)
  const drawn = drawBalanced({ ...train, count: PROXY + TRAINING, rng: rng.split('draw') })
  const order = rng.split('order').shuffle([...drawn])
  const proxy = Int32Array.from(order.slice(0, PROXY))
  const own = subset(train, order.slice(PROXY))
  const parts = partition('dirichlet:0.5', { ...own, clients: PARENTS, rng: rng.split('parts') })
  const tensors: NamedTensor[] = [
    { name: 'x', shape: [PROXY, ...train.inputShape], data: train.inputs(proxy) },
    { name: 'y', shape: [PROXY], data: Float32Array.from(proxy, (i) => train.labels[i]!) },
  ]
  const accuracies: number[] = []
  for (const [k, part] of parts.entries()) {
    const model = buildModel(MLP, rng.split(`network ${k}`))
    const settings = { optimizer: 'adam', learningRate: 1e-3, batchSize: 32, epochs: 5 } as const
    await fit(model, subset(own, part), { ...settings, rng: rng.split(`training ${k}`) })
    accuracies.push((await evaluate(model, test)).accuracy)
    for (const tensor of toTorch(await readWeights(model), MLP)) {
      tensors.push({ ...tensor, name: `parents.${k}.${tensor.name}` })
    }
    model.dispose()
  }
  const [worst, best] = [Math.min(...accuracies), Math.max(...accuracies)]
  console.log(`${PARENTS} parents, test accuracy ${worst.toFixed(3)} to ${best.toFixed(3)}`)
  return tensors
}

interface Setting {
  readonly folder: string
  /** The networks and images. */
  readonly file: string
  readonly dataset: Dataset
}

async function compareRow(
  [task, reference, pairs, calls]: (typeof ROWS)[number],
  script: 'serve.py' | 'papers.py',
  { folder, file, dataset }: Setting,
): Promise<void> {
  const results = ['graft', 'reference'].map((side) => join(folder, `${side}.safetensors`))
  const cold: Turn[] = []
  const warm: Turn[] = []
  for (let pair = 0; pair < pairs; pair++) {
    const ours = await start(process.execPath, [
      fileURLToPath(import.meta.url),
      'serve',
      task,
      file,
    ])
    const theirs = await start(PYTHON, [join(SCRIPTS, script), reference, file])
    for (let call = 0; call < calls; call++) {
      const turn = [await ours.run(results[0]!), await theirs.run(results[1]!)] as const
      ;(call === 0 ? cold : warm).push(turn)
    }
    await Promise.all([ours.end(), theirs.end()])
  }
  const [graft, wanted] = results.map((path) => decodeSafetensors(readFileSync(path)).tensors)
  const said = [
    `${task} / ${reference}${script === 'papers.py' ? ", the papers' own" : ''}`.padEnd(46),
    `cold ${ratios(cold)}  warm ${ratios(warm)}`,
    `median ms cold ${medianOf(cold, 0)} / ${medianOf(cold, 1)}, warm ${medianOf(warm, 0)} / ${medianOf(warm, 1)}`,
    await agreement(task, { graft: graft!, wanted: wanted!, dataset }),
    `load ${loadavg()[0]?.toFixed(1) ?? '?'}`,
  ]
  console.log(said.join('; '))
}

/** A process that answers each line with the times of one run. */
async function start(command: string, args: readonly string[]) {
  // PyTorch's threads would otherwise wait in a loop for each other, which takes many times as long, and all
  // the processor's time, as soon as anything else runs on the machine: a reference slowed down is none.
  const env = { ...process.env, OMP_WAIT_POLICY: 'passive' }
  const child: ChildProcess = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env })
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next()
    if (done === true) throw new Error(`${command} ${args.join(' ')} ended before it answered`)
    return value
  }
  for (let line = ''; line !== 'ready';) line = await next()
  return {
    async run(result: string): Promise<Run> {
      child.stdin!.write(`${result}\n`)
      return JSON.parse(await next()) as Run
    },
    async end(): Promise<void> {
      const closed = new Promise((resolve) => child.once('close', resolve))
      child.stdin!.end()
      await closed
    },
  }
}

/** What says that both sides computed the same: how far apart they are, or how good both are. */
async function agreement(
  task: Task,
  { graft, wanted, dataset }: { graft: Weights; wanted: Weights; dataset: Dataset },
): Promise<string> {
  if (task === 'conductance' || task === 'nt') {
    const errors = wanted.map(({ data }, i) => relativeError(graft[i]!.data, data))
    return `largest difference ${Math.max(...errors).toExponential(1)}`
  }
  const [ours, theirs] = [await accuracyOf(graft, dataset), await accuracyOf(wanted, dataset)]
  return `test accuracy ${ours} / ${theirs}`
}

async function accuracyOf(tensors: Weights, { test }: Dataset): Promise<string> {
  const model = buildModel(MLP, createRng(SEED))
  writeWeights(model, fromTorch(tensors, MLP))
  const { accuracy } = await evaluate(model, test)
  model.dispose()
  return accuracy.toFixed(3)
}

/** Of the largest number that was wanted. */
function relativeError(got: Float32Array, wanted: Float32Array): number {
  const scale = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  return wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - got[i]!)), 0) / scale
}

function ratios(turns: readonly Turn[]): string {
  const [wall, cpu] = (['wall', 'cpu'] as const).map((by) =>
    median(turns.map(([graft, reference]) => graft[by] / reference[by])),
  )
  return `${wall!.toFixed(3)} (${cpu!.toFixed(3)})`
}

function medianOf(turns: readonly Turn[], side: 0 | 1): string {
  return median(turns.map((turn) => turn[side].wall)).toFixed(1)
}

function commit(): string {
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' }).trim()
  const isChanged = git('status', '--porcelain', '--', 'shared', 'server', 'test/bench') !== ''
  return git('rev-parse', '--short', 'HEAD') + (isChanged ? ' with changes' : '')
}

function torchVersion(): string {
  const script =
    'import torch; print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads")'
  return execFileSync(PYTHON, ['-c', script], { encoding: 'utf8' }).trim()
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN
}
