// Milliseconds that scoring all neurons on 400 images takes, and beside conductance the papers' own way of it
// where python3 can import PyTorch (see attribution.py), in alternation on one machine.
//
//   npm run --silent tools && node dist/tools/test/bench/attribution.bench.js [native|wasm] [mlp|lenet]
//
// Two ratios: of the medians, and of the fastest runs, which other work on the machine disturbs least.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpus, loadavg } from 'node:os'
import { attribute } from '../../shared/attribution/attribute.ts'
import type { ScorerName } from '../../shared/attribution/scorer-names.ts'
import { startEngine } from '../../shared/engine/engine.ts'
import { parseArchitecture } from '../../shared/model/architectures.ts'
import { buildModel } from '../../shared/model/build-model.ts'
import { createRng } from '../../shared/numeric/rng.ts'
import { blobExamples } from '../support/array-examples.ts'

const ROUNDS = 3
const REPEATS = 5
const SEED = 'bench'
const IMAGES = { inputShape: [28, 28, 1], numClasses: 10 } as const
const EXAMPLES = blobExamples(IMAGES, 400, SEED)
/** The networks of attribution.py. */
const NETWORKS = { mlp: 'mlp:784-256-10', lenet: 'lenet' } as const

interface Reference {
  readonly reference: string
  readonly times: readonly number[]
}

const [choice, only] = process.argv.slice(2)
const engine = await startEngine(choice === 'wasm' ? 'wasm' : 'native')
const hasTorch = spawnSync('python3', ['-c', 'import torch']).status === 0

console.log(`commit ${commit()}, seed ${SEED}, Node ${process.version}`)
console.log(`${engine.name} ${engine.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'CPU'}`)
if (!hasTorch) console.log('No PyTorch: `pip install torch captum` to compare with it.')
for (const network of ['mlp', 'lenet'] as const) {
  if (only !== undefined && only !== network) continue
  await compareConductance(network)
  for (const scorer of ['deeplift', 'ablation'] as const) {
    console.log(`${network} ${scorer}: graft ${show(await timesOf(network, scorer))}${load()}`)
  }
}

async function compareConductance(network: keyof typeof NETWORKS): Promise<void> {
  const times: number[] = []
  const references: Reference[] = []
  for (let round = 0; round < ROUNDS; round++) {
    times.push(...(await timesOf(network, 'conductance')))
    if (hasTorch) references.push(referenceOf(network))
  }
  const shown = [`${network} conductance: graft ${show(times)}`]
  if (references[0] !== undefined) {
    const theirs = references.flatMap((of) => of.times)
    const { reference } = references[0]
    shown.push(`${reference} ${show(theirs)}, graft/reference ${ratio(times, theirs)}`)
  }
  console.log(shown.join('; ') + load())
}

/** Without the first run, in which the JavaScript is not yet compiled. */
async function timesOf(network: keyof typeof NETWORKS, scorer: ScorerName): Promise<number[]> {
  const model = buildModel(parseArchitecture(NETWORKS[network], IMAGES), createRng(SEED))
  const times: number[] = []
  for (let run = 0; run <= REPEATS; run++) {
    const start = performance.now()
    await attribute(scorer, model, EXAMPLES)
    times.push(performance.now() - start)
  }
  model.dispose()
  return times.slice(1)
}

function referenceOf(network: string): Reference {
  const script = ['test/bench/attribution.py', network, String(REPEATS)]
  return JSON.parse(execFileSync('python3', script, { encoding: 'utf8' })) as Reference
}

function commit(): string {
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' }).trim()
  const isChanged = git('status', '--porcelain', '--', 'shared', 'test/bench') !== ''
  return git('rev-parse', '--short', 'HEAD') + (isChanged ? ' with changes' : '')
}

function load(): string {
  return `; load ${loadavg()[0]?.toFixed(1) ?? '?'}`
}

function ratio(a: readonly number[], b: readonly number[]): string {
  const fastest = Math.min(...a) / Math.min(...b)
  return `${(median(a) / median(b)).toFixed(2)} (fastest ${fastest.toFixed(2)})`
}

function show(times: readonly number[]): string {
  return `${median(times).toFixed(1)} (fastest ${Math.min(...times).toFixed(1)}) ms`
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN
}
