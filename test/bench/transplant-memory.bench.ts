// Memory that Neuron Transplantation takes beyond its inputs, in models: the highest resident set of a fresh
// process during `nt`, less that before, with all parents in memory. The fused network is one model of it.
//
//   npm run --silent tools && node dist/tools/test/bench/transplant-memory.bench.js
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { neuronTransplantation } from '../../server/fusion/neuron-transplantation.ts'
import type { Parent } from '../../server/fusion/strategy.ts'
import { parseArchitecture } from '../../shared/model/architectures.ts'
import { buildModel } from '../../shared/model/build-model.ts'
import { neuronGraph } from '../../shared/model/neuron-graph.ts'
import { weightSpecs } from '../../shared/model/weight-specs.ts'
import { sizeOf } from '../../shared/model/weights.ts'
import { createRng } from '../../shared/numeric/rng.ts'
import { statusBytes } from '../support/status-bytes.ts'

const SIZES = '784-2048-2048-10'
const MLP = parseArchitecture(`mlp:${SIZES}`, { inputShape: [784], numClasses: 10 })
const COUNTS = [2, 8, 32]
const RUNS = 5
const BYTES = 4 * weightSpecs(MLP).reduce((sum, { shape }) => sum + sizeOf(shape), 0)

const [, , chosen] = process.argv
if (chosen === undefined) compare()
else console.log(await bytesBeyondInputs(Number(chosen)))

function compare(): void {
  const model = (BYTES / 2 ** 20).toFixed(1)
  console.log(`Node ${process.version}, median of ${RUNS} fresh processes; ${SIZES}, ${model} MiB`)
  const self = fileURLToPath(import.meta.url)
  for (const count of COUNTS) {
    const runs = Array.from({ length: RUNS }, () =>
      Number(
        execFileSync(process.execPath, ['--expose-gc', self, String(count)], { encoding: 'utf8' }),
      ),
    ).sort((a, b) => a - b)
    const [least, median, most] = [runs[0]!, runs[RUNS >> 1]!, runs.at(-1)!].map((bytes) =>
      (bytes / BYTES).toFixed(2),
    )
    console.log(`${count} parents: ${median} models beyond the inputs (${least} to ${most})`)
  }
}

async function bytesBeyondInputs(count: number): Promise<number> {
  const model = buildModel(MLP, createRng('bench'))
  const graph = neuronGraph(model)
  model.dispose()
  const parents = Array.from({ length: count }, (_, k) => parentOf(k))
  await settle()
  const before = statusBytes('VmRSS')
  await neuronTransplantation.fuse({ parents, graph, options: {}, rng: createRng('bench') })
  return statusBytes('VmHWM') - before
}

/** Gives back what is garbage, which the fusion would otherwise fill unseen, and forgets the highest set so far. */
async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc!()
    await setTimeout(100)
  }
  writeFileSync('/proc/self/clear_refs', '5')
}

/** Weights without randomness from `createRng`, whose garbage would raise the memory before. */
function parentOf(k: number): Parent {
  let state = k + 1
  const weights = weightSpecs(MLP).map(({ name, shape }) => {
    const data = new Float32Array(sizeOf(shape))
    for (let i = 0; i < data.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) | 0
      data[i] = (state >> 16) / 32768
    }
    return { name, shape, data }
  })
  return {
    id: `p${String(k).padStart(2, '0')}`,
    numExamples: 1,
    classCounts: new Array<number>(MLP.numClasses).fill(1),
    scores: [],
    load: async () => weights,
  }
}
