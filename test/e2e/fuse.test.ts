import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { STRATEGIES } from '../../server/fusion/strategies.ts'
import type { Strategy } from '../../server/fusion/strategy.ts'
import { loadMnist } from '../../shared/data/mnist.ts'
import { countClasses, subset } from '../../shared/data/subset.ts'
import { parseArchitecture } from '../../shared/model/architectures.ts'
import { buildModel } from '../../shared/model/build-model.ts'
import { decodeSafetensors } from '../../shared/model/safetensors.ts'
import { readWeights, type Weights } from '../../shared/model/weights.ts'
import { createRng } from '../../shared/numeric/rng.ts'
import { FuseReport } from '../../shared/protocol/fuse-report.ts'
import { fit } from '../../shared/training/fit.ts'
import { startTestEngine } from '../support/engine.ts'
import { runGraft } from '../support/graft-process.ts'
import { counted, SMALL, writeParent } from '../support/parent-files.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../support/temporary-folder.ts'

/** auto would train four networks level by level, feddf one for 10,000 steps. */
const SHORTER = new Map([
  ['auto', 'auto:try=closed-form'],
  ['feddf', 'feddf:steps=100'],
])
/** They leave parents out, so that two are too few. */
const CROWDS = ['trimmed-mean', 'krum']
const METHODS = Object.values<Strategy>(STRATEGIES)
  .filter(({ isComparison, onlyInRounds }) => isComparison !== true && onlyInRounds === undefined)
  .filter(({ name }) => !CROWDS.includes(name))
  .map(({ name }) => SHORTER.get(name) ?? name)

let folder: TemporaryFolder
let files: string[]

beforeAll(async () => {
  folder = await createTemporaryFolder()
  await startTestEngine()
  files = [await trained('low', [0, 1, 2, 3, 4]), await trained('high', [5, 6, 7, 8, 9])]
})
afterAll(() => folder[Symbol.asyncDispose]())

describe('graft fuse', () => {
  it.each(METHODS)('should fuse two networks by %s, twice to the same bytes', async (method) => {
    const [first, second] = [await fuse(method, 'first'), await fuse(method, 'second')]
    expect(first.bytes.equals(second.bytes)).toBe(true)
    const { tensors } = decodeSafetensors(first.bytes)
    expect(tensors).toHaveLength(6)
    const { report } = first
    expect(report.parents.map(({ numExamples }) => numExamples)).toEqual([1500, 1500])
    for (const { accuracy } of report.parents) expect(accuracy).toBeLessThan(0.55)
    expect(report.fused!.accuracy).toBeGreaterThan(0.1)
    expect(report.ledger!.groups.map(({ name }) => name)).toEqual(['fc1', 'fc2'])
  })

  it.each(CROWDS)('should fuse five networks by %s, and refuse two', async (method) => {
    const refused = await runGraft(['fuse', ...files, '--method', method])
    expect(refused.stderr).toMatch(/take more parents.*\(GRAFT_STRATEGY_UNKNOWN\)\n$/)
    expect(refused.status).toBe(2)
    const others = [await trained('odd', [1, 3, 5, 7, 9]), await trained('even', [0, 2, 4, 6, 8])]
    const five = [...files, ...others, await trained('middle', [3, 4, 5, 6, 7])]
    const [first, second] = [await fuse(method, 'first', five), await fuse(method, 'second', five)]
    expect(first.bytes.equals(second.bytes)).toBe(true)
    expect(first.report.parents).toHaveLength(5)
    expect(first.report.ledger!.groups.map(({ name }) => name)).toEqual(['fc1', 'fc2'])
  })

  it('should refuse what is for rounds only', async () => {
    const refused = await runGraft(['fuse', ...files, '--method', 'fedprox'])
    expect(refused.stderr).toMatch(
      /^graft: fedprox differs from fedavg.*\(GRAFT_STRATEGY_UNKNOWN\)\n$/,
    )
    expect(refused.status).toBe(2)
  })

  it('should show people a table, and scripts nothing but JSON', async () => {
    const words = ['fuse', ...files, '--method', 'ensemble', '--test', 'mnist']
    const people = await runGraft(words)
    expect(people.status).toBe(0)
    expect(people.stdout).toMatch(/ensemble +│ +\d+\.\d\d %/)
    const scripts = await runGraft([...words, '--json'])
    expect(FuseReport.parse(JSON.parse(scripts.stdout)).method).toBe('ensemble')
    expect(scripts.stderr).toMatch(/ensemble +│ +\d+\.\d\d %/)
  })

  it.each([
    [['--method', 'magic'], 2, /no strategy "magic".*\(GRAFT_STRATEGY_UNKNOWN\)\n$/],
    [['--method', 'kf-linear'], 2, /proxy set.*\(GRAFT_OPTION_INVALID\)\n$/],
    [['--proxy', 'mnist:0'], 2, /empty proxy set.*\(GRAFT_OPTION_INVALID\)\n$/],
    [['--target', 'mlp', '--target-width', '9'], 2, /give one.*\(GRAFT_OPTION_INVALID\)\n$/],
  ])('should refuse %s in one line', async (words, status, says) => {
    const finished = await runGraft(['fuse', ...files, ...words])
    expect(finished.status).toBe(status)
    expect(finished.stderr).toMatch(says)
    expect(finished.stderr.match(/^graft: /gm)).toHaveLength(1)
  })

  it('should ask for files', async () => {
    const { status, stderr } = await runGraft(['fuse'])
    expect(status).toBe(2)
    expect(stderr).toMatch(/^graft: .*files is missing.*\(GRAFT_OPTION_INVALID\)\n$/)
  })
})

describe('graft inspect', () => {
  it('should draw a model, a file and a folder, and give JSON', async () => {
    const drawn = await runGraft(['inspect', 'resnet18:8'])
    expect(drawn.stdout).toContain('residual stream of 3 levels')
    expect((await runGraft(['inspect', files[0]!, '--model', SMALL])).stdout).toContain(SMALL)
    await runGraft(['fuse', ...files, '--method', 'nt', '--out', `${join(folder.path, 'own')}/`])
    expect((await runGraft(['inspect', join(folder.path, 'own')])).stdout).toContain('own: reads')
    const json = await runGraft(['inspect', 'lenet', '--json'])
    expect(JSON.parse(json.stdout)).toMatchObject({ name: 'lenet', parameters: 61_706 })
    const refused = await runGraft(['inspect', 'lenat'])
    expect(refused.stderr).toMatch(/no model "lenat".*\(GRAFT_ARCHITECTURE_INVALID\)\n$/)
  })
})

// Helpers

async function fuse(
  method: string,
  name: string,
  parents = files,
): Promise<{ bytes: Buffer; report: FuseReport }> {
  const out = join(folder.path, `${method}-${name}.safetensors`)
  const json = join(folder.path, `${method}-${name}.json`)
  const words = ['fuse', ...parents, '--method', method, '--out', out, '--json', json]
  const finished = await runGraft([...words, '--proxy', 'mnist:100', '--test', 'mnist'])
  expect(finished.status, finished.stderr).toBe(0)
  const report = FuseReport.parse(JSON.parse(await readFile(json, 'utf8')))
  return { bytes: await readFile(out), report }
}

/** A parent that has seen 300 images of each of these digits. */
async function trained(name: string, digits: readonly number[]): Promise<string> {
  const { train } = await loadMnist()
  const indices = digits.flatMap((digit) =>
    [...train.labels.keys()].filter((i) => train.labels[i] === digit).slice(0, 300),
  )
  const examples = subset(train, indices)
  const model = buildModel(parseArchitecture(SMALL, train), createRng(name))
  const rng = createRng('order')
  const settings = { optimizer: 'adam', batchSize: 32, epochs: 4, learningRate: 0.003 } as const
  await fit(model, examples, { ...settings, rng })
  const weights: Weights = await readWeights(model)
  model.dispose()
  return writeParent(folder.path, name, {
    metadata: { ...counted(countClasses(examples)), architecture: SMALL },
    change: (untrained) => untrained.forEach(({ data }, i) => data.set(weights[i]!.data)),
  })
}
