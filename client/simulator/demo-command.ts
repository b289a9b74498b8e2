import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { z } from 'zod'
import { defineCommand } from '../../shared/command/command.ts'
import { ENGINE_OPTION, HOME_OPTION } from '../../shared/command/common-options.ts'
import { RUN_OPTIONS, toWords } from '../../shared/command/run-options.ts'
import { interruptSignal } from '../../shared/command/run-program.ts'
import { diagnoseEngines } from '../../shared/engine/diagnose.ts'
import type { EngineChoice } from '../../shared/engine/engine.ts'
import { ensureNative } from '../../shared/engine/install.ts'
import { showInstallProgress } from '../../shared/engine/install-progress.ts'
import { toGraftError } from '../../shared/errors.ts'
import { newRunFolder } from './run-folder.ts'
import { simulate } from './simulate.ts'

/** Five clients with two digits each: what no client could learn alone. */
const DEMO = {
  partition: 'labels:2',
  clients: 5,
  examplesPerClient: 2000,
  proxy: 1000,
  rounds: 2,
  rehearse: true,
  logitAdjustment: true,
  strategy: 'kf-linear',
}

export const demoCommand = defineCommand({
  name: 'demo',
  summary: 'a federated fusion in two minutes: five clients with two digits of MNIST each',
  examples: ['graft demo', 'graft demo --engine wasm'],
  options: {
    engine: ENGINE_OPTION,
    seed: RUN_OPTIONS.seed,
    home: HOME_OPTION.optional().describe('folder for database, blobs and models; new under runs/'),
  },
  async run({ engine, seed, home }) {
    const signal = interruptSignal()
    const chosen = engine === 'auto' ? await chooseEngine(signal) : engine
    const folder = home ?? newRunFolder('demo')
    const options = z.object(RUN_OPTIONS).parse({ ...DEMO, seed })
    process.stdout.write(INTRODUCTION)
    // The demo needs no server, and leaves no run on one.
    delete process.env['DATABASE_URL']
    await simulate({
      coordinatorWords: [...toWords(options), '--home', folder, '--engine', chosen],
      clients: DEMO.clients,
      workers: DEMO.clients,
      engine: chosen,
      dataWords: [],
      home: folder,
      faults: null,
      updateFolder: null,
      say: () => undefined,
      signal,
    })
    process.stdout.write(farewell(folder))
  },
})

const INTRODUCTION = `
Five clients, each with 2,000 images of two digits that nobody else has, train on their own. They send
weights, attribution scores and class counts to a coordinator, never an image. It fuses the networks
neuron by neuron (K-means fusion of Neuron Interpolation), tunes the result on 1,000 public images, and
sends it back. The clients rehearse those public images too, so as not to forget the digits they do not
have, and keep how frequent each digit is with them out of what they learn.

`

function farewell(folder: string): string {
  return `
Models    ${join(folder, 'models')} (safetensors)
Report    ${join(folder, 'report.json')}
Database  ${join(folder, 'db')}

Next:
  npx graft simulate --partition dirichlet:0.3 --clients 8 --rounds 3                    another federation
  npx graft simulate --strategy fedavg,nt --partition labels:2 --clients 5 --rehearse    averaging beside fusion
  npx graft data partition --partition labels:2 --clients 5                              who holds which digits
  npx graft coordinator --help                                                           clients on other machines
`
}

/** Native when it is there or can be had; it is several times as fast, and 274 MB to download once. */
async function chooseEngine(signal: AbortSignal): Promise<EngineChoice> {
  const native = (await diagnoseEngines()).find(({ name }) => name === 'native')
  if (native?.usable === true) return 'native'
  if (native?.remedy === undefined || !(await isWanted())) return 'wasm'
  try {
    await ensureNative({ signal, onProgress: showInstallProgress(process.stderr) })
    return 'native'
  } catch (error) {
    signal.throwIfAborted()
    process.stdout.write(`${toGraftError(error).problem} The demo goes on with wasm.\n`)
    return 'wasm'
  }
}

/** Asks on a terminal; without one, nobody is there to mind the download. */
async function isWanted(): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return true
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  try {
    const answer = await terminal.question(
      'The native engine is not installed: fetch TensorFlow (274 MB, once) with pip? [Y/n] ',
    )
    return !/^n/i.test(answer.trim())
  } finally {
    terminal.close()
  }
}
