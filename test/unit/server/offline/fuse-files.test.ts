import { readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { fuseFiles } from '../../../../server/offline/fuse-files.ts'
import type { FuseFilesInput } from '../../../../server/offline/fuse-options.ts'
import { decodeSafetensors } from '../../../../shared/model/safetensors.ts'
import { parseArchitecture } from '../../../../shared/model/architectures.ts'
import { fromTorch } from '../../../../shared/model/torch-layout.ts'
import {
  readLayersModel,
  writeLayersModel,
} from '../../../../shared/model-files/layers-model-folder.ts'
import { FuseReport } from '../../../../shared/protocol/fuse-report.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectNoLeakAsync } from '../../../support/expect-no-leak.ts'
import { counted, fuseInput, SMALL, writeParent } from '../../../support/parent-files.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.ts'

const PROXY = { dataset: 'mnist', count: 40 }
const MNIST = { inputShape: [28, 28, 1], numClasses: 10 }
const LOW = [9, 8, 7, 6, 5, 0, 0, 0, 0, 0]
const HIGH = [0, 0, 0, 0, 0, 1, 2, 3, 4, 5]

let folder: TemporaryFolder

beforeAll(startTestEngine)
beforeEach(async () => {
  folder = await createTemporaryFolder()
})
afterEach(() => folder[Symbol.asyncDispose]())

describe('fuseFiles', () => {
  it('should write what was made of what, so that the result can be a parent again', async () => {
    const files = [
      await parent('b', { metadata: counted(HIGH) }),
      await parent('a', { metadata: counted(LOW) }),
    ]
    const report = await run({ files, proxy: PROXY })
    const { metadata, tensors } = decodeSafetensors(await readFile(report.out!))
    expect(metadata).toEqual({
      format: 'graft',
      layout: 'tf',
      architecture: SMALL,
      method: expect.stringMatching(/^nt:variant=merge-prune:tree=hierarchical:/),
      // In the order of their names, whatever the order of the words.
      parents: '["a.safetensors","b.safetensors"]',
      ...counted([9, 8, 7, 6, 5, 1, 2, 3, 4, 5]),
    })
    expect(tensors.map(({ name }) => name)).toContain('fc3.bias')
    expect(report.ledger!.parents).toEqual([files[1], files[0]])
    const again = await run({
      files: [report.out!, files[0]!],
      out: place('again.safetensors'),
      model: undefined,
    })
    expect(again.parents.map(({ numExamples }) => numExamples)).toEqual([15, 50])
    expect(again.isCounted).toBe(true)
  })

  it('should give the same bytes for the same seed, and others for another', async () => {
    const files = [await parent('a'), await parent('b')]
    const bytes = async (seed: number): Promise<Buffer> => {
      const { out } = await run({ files, seed, method: 'kf-linear', proxy: PROXY })
      return readFile(out!)
    }
    expect(await bytes(7)).toEqual(await bytes(7))
    expect((await bytes(8)).equals(await bytes(7))).toBe(false)
  })

  it('should judge everything on the test split and tune only what was asked for', async () => {
    const files = [await parent('a'), await parent('b')]
    const plain = await run({ files, proxy: PROXY, test: 'mnist' })
    expect(plain).toMatchObject({ tuned: null, controls: { averageTuned: null, proxyAlone: null } })
    expect(plain.fused!.accuracy).toBeGreaterThan(0)
    const proxy = { dataset: 'mnist', count: 300 }
    const tuned = await run({ files, proxy, test: 'mnist', tune: { ...TUNE, epochs: 2 } })
    expect(tuned.fused!.accuracy).not.toBeNaN()
    expect(tuned.tuned).toMatchObject({ isTuned: true, epochs: expect.any(Number) })
    expect(tuned.controls.proxyAlone!.accuracy).toBeGreaterThan(0)
    expect(files).toContain(tuned.controls.bestParentTuned!.file)
    // The tuned network is what is written: fused again, alone, it is judged alike.
    const written = await run({ files: [tuned.out!], out: place('x.safetensors'), test: 'mnist' })
    expect(written.parents[0]!.accuracy).toBe(tuned.tuned!.accuracy)
    const none = await run({ files, proxy: PROXY, tune: { ...TUNE, mode: 'none' } })
    expect(none.tuned).toBe(null)
  })

  it('should say how diverse the parents are before it fuses them', async () => {
    const files = [await parent('a'), await parent('b')]
    const seen: string[] = []
    const report = await run({
      files,
      proxy: PROXY,
      onProgress: (phase) => seen.push(phase),
      onDiversity: ({ pairs }) => seen.push(`${pairs.length} pair`),
    })
    expect(seen.slice(0, 4)).toEqual(['read', 'compare', '1 pair', 'fuse'])
    const { pairs, levels, forecast } = report.diversity!
    expect(pairs[0]!.parents).toEqual(files)
    expect(pairs[0]!.weightDistance).toBeGreaterThan(0.1)
    expect(pairs[0]!.cka).toHaveLength(levels.length)
    expect(forecast!.probability).toBeGreaterThan(0)
    // Without examples the weights alone are compared, and of one parent nothing is.
    expect((await run({ files })).diversity).toMatchObject({ forecast: null })
    expect((await run({ files: files.slice(0, 1) })).diversity).toBeNull()
  })

  it('should foresee that nt fails for a network and its copy, and not choose it', async () => {
    const file = await parent('a')
    const copy = place('copy.safetensors')
    await writeFile(copy, await readFile(file))
    const input = { files: [file, copy], proxy: { dataset: 'mnist', count: 60 } }
    const report = await run({ ...input, method: 'auto:try=closed-form', test: 'mnist' })
    expect(report.diversity!.pairs[0]).toMatchObject({ weightDistance: 0, disagreement: 0 })
    expect(report.diversity!.forecast).toEqual({ probability: 0, isDiverseEnough: false })
    expect(report.reason).toMatch(/nt was left out/)
    expect(report.fused!.accuracy).toBeCloseTo(report.parents[0]!.accuracy!, 2)
  })

  it('should let one parent out as it went in', async () => {
    const file = await parent('a', { metadata: counted(LOW) })
    const report = await run({ files: [file], method: 'kf-linear' })
    const [before, after] = await Promise.all([file, report.out!].map((path) => readFile(path)))
    expect(decodeSafetensors(after!).tensors).toEqual(decodeSafetensors(before!).tensors)
    expect(report).toMatchObject({ shares: [1], reason: expect.stringContaining('as it went in') })
  })

  it('should read and write PyTorch’s layout', async () => {
    const plain = await run({
      files: [await parent('a'), await parent('b')],
      out: place('tf.safetensors'),
    })
    const files = [await parent('a', { layout: 'torch' }), await parent('b', { layout: 'torch' })]
    const torch = await run({ files, layout: 'torch', out: place('torch.safetensors') })
    const { tensors, metadata } = decodeSafetensors(await readFile(torch.out!))
    expect(metadata).toMatchObject({ format: 'pt', layout: 'torch' })
    expect(tensors.find(({ name }) => name === 'fc1.weight')!.shape).toEqual([8, 784])
    expect(fromTorch(tensors, parseArchitecture(SMALL, MNIST))).toEqual(
      decodeSafetensors(await readFile(plain.out!)).tensors,
    )
    // What it wrote it reads without being told.
    const again = await run({
      files: [torch.out!],
      model: undefined,
      out: place('again.safetensors'),
    })
    expect(again.layout).toBe('torch')
  })

  it.each(['tf', 'torch'] as const)('should fuse parents of other widths (%s)', async (layout) => {
    const files = [
      await parent('a', { layout }),
      await parent('b', { layout, spec: 'mlp:784-12-5-10' }),
    ]
    const report = await run({
      ...{ files, layout, target: 9, method: 'kf-linear', proxy: PROXY, test: 'mnist' },
      tune: { ...TUNE, epochs: 1 },
    })
    const { tensors, metadata } = decodeSafetensors(await readFile(report.out!))
    expect(metadata['architecture']).toBe('mlp:784-9-9-10')
    expect(tensors.find(({ name }) => name === 'fc2.bias')!.data).toHaveLength(9)
    expect(report.controls).toMatchObject({ average: null, averageTuned: null })
    expect(report.controls.bestParentTuned!.accuracy).toBeGreaterThan(0)
  })

  it('should fuse TensorFlow.js folders of a topology of the user’s own', async () => {
    for (const name of ['a', 'b']) {
      const model = ownModel()
      await writeLayersModel(place(name), model)
      model.dispose()
    }
    const files = [place('a'), place('b')]
    const report = await run({
      ...{ files, model: undefined, out: `${place('fused')}/`, proxy: PROXY, test: 'mnist' },
      tune: { ...TUNE, epochs: 1 },
    })
    const fused = await readLayersModel(place('fused'))
    expect(fused.countParams()).toBe(784 * 4 + 4 + 4 * 10 + 10)
    fused.dispose()
    expect(report.controls).toMatchObject({ proxyAlone: null, average: expect.anything() })
    expect(report.controls.bestParentTuned!.accuracy).toBeGreaterThan(0)
    await expect(run({ files, model: undefined, layout: 'torch' })).rejects.toThrow(
      /--layout torch.*\(GRAFT_OPTION_INVALID\)/,
    )
  })

  it('should count all parents alike when one does not say what it saw', async () => {
    const files = [await parent('a', { metadata: counted(LOW) }), await parent('b')]
    const report = await run({ files })
    expect(report.isCounted).toBe(false)
    expect(report.parents.map(({ numExamples }) => numExamples)).toEqual([10, 10])
  })

  it('should measure an ensemble and write nothing', async () => {
    const files = [await parent('a'), await parent('b')]
    const report = await run({ files, method: 'ensemble', test: 'mnist', out: undefined })
    expect(report).toMatchObject({ fused: null, tuned: null, ledger: null, out: null })
    expect(report.ensemble!.accuracy).toBeGreaterThan(0)
    expect((await readdir(folder.path)).sort()).toEqual(['a.safetensors', 'b.safetensors'])
    await expect(run({ files, method: 'ensemble', test: 'mnist' })).rejects.toThrow(/--out/)
    await expect(run({ files, method: 'ensemble', out: undefined })).rejects.toThrow(/--test/)
  })

  it('should see pixels as the parents did', async () => {
    const files = [await parent('a'), await parent('b')]
    const at = async (normalisation: FuseFilesInput['normalisation']) =>
      (await run({ files, test: 'mnist', normalisation })).parents[0]!.loss
    const own = await at(undefined)
    expect(await at({ mean: [0.1307], std: [0.3081] })).toBe(own)
    expect(await at({ mean: [0.5], std: [0.5] })).not.toBe(own)
  })

  it('should leave no tensor alive', async () => {
    const files = [await parent('a'), await parent('b')]
    await expectNoLeakAsync(() =>
      run({
        files,
        method: 'kf-linear',
        proxy: PROXY,
        test: 'mnist',
        tune: { ...TUNE, epochs: 1 },
      }),
    )
  })
})

describe('what fuseFiles refuses', () => {
  const cases: [what: string, make: () => Promise<Partial<FuseFilesInput>>, says: RegExp][] = [
    [
      'parents of different architectures',
      async () => ({ files: [await parent('a'), await parent('b', { spec: 'mlp:784-8-10' })] }),
      /b\.safetensors lacks the weight fc3\.kernel.*SHAPE_MISMATCH/,
    ],
    [
      'a parent of other classes',
      async () => ({ files: [await parent('a'), await parent('b', { spec: 'mlp:784-8-6-5' })] }),
      /b\.safetensors.*\[6,5\].*SHAPE_MISMATCH/,
    ],
    [
      'class counts of other classes',
      async () => ({ files: [await parent('a', { metadata: counted([1, 2]) })] }),
      /a\.safetensors counts 2 classes, the fused network has 10.*SHAPE_MISMATCH/,
    ],
    [
      'class counts of 0',
      async () => ({ files: [await parent('a', { metadata: counted(LOW.map(() => 0)) })] }),
      /a\.safetensors says it was trained on nothing.*MODEL_FILE_INVALID/,
    ],
    [
      'class counts that are none',
      async () => ({ files: [await parent('a', { metadata: { class_counts: '{"a":1}' } })] }),
      /a\.safetensors: class_counts is no list.*MODEL_FILE_INVALID/,
    ],
    [
      'weights that are not numbers',
      async () => ({
        files: [await parent('a', { change: (weights) => weights[0]!.data.fill(NaN, 3, 4) })],
      }),
      /a\.safetensors: fc1\.kernel\[3\] is NaN.*NOT_FINITE/,
    ],
    [
      'a file that is not there',
      async () => ({ files: [place('none.safetensors')] }),
      /none\.safetensors.*FILE_UNREADABLE/,
    ],
    [
      'a file that was cut short',
      async () => {
        const file = await parent('a')
        await truncate(file, 4000)
        return { files: [file] }
      },
      /a\.safetensors.*MODEL_FILE_INVALID/,
    ],
    [
      'a file of something else',
      async () => {
        await writeFile(place('a.txt'), 'hello')
        return { files: [place('a.txt')] }
      },
      /a\.txt.*MODEL_FILE_INVALID/,
    ],
    [
      'a file that is given twice',
      async () => ({ files: [await parent('a'), await parent('a')] }),
      /a\.safetensors is given twice.*OPTION_INVALID/,
    ],
    [
      'an unknown method',
      async () => ({ files: [await parent('a')], method: 'magic' }),
      /no strategy "magic".*kf-linear.*STRATEGY_UNKNOWN/,
    ],
    [
      'an unknown option of a method',
      async () => ({ files: [await parent('a')], method: 'nt:tree=flat' }),
      /tree=flat.*hierarchical.*STRATEGY_UNKNOWN/,
    ],
    [
      'PyTorch’s layout read as ours',
      async () => ({ files: [await parent('a', { layout: 'torch' })], layout: 'tf' }),
      /a\.safetensors has fc1\.weight, as files of --layout torch.*OPTION_INVALID/,
    ],
    [
      'our layout read as PyTorch’s',
      async () => ({ files: [await parent('a')], layout: 'torch' }),
      /a\.safetensors has fc1\.kernel, as files of --layout tf.*OPTION_INVALID/,
    ],
    [
      'files that do not say what they are',
      async () => ({ files: [await parent('a')], model: undefined }),
      /give --model.*OPTION_INVALID/,
    ],
    [
      'images of another size than the model reads',
      async () => ({ files: [await parent('a')], model: 'mlp:100-8-10', proxy: PROXY }),
      /mlp:100-8-10 reads 100 inputs.*\[28,28,1\] has 784.*ARCHITECTURE_INVALID/,
    ],
    [
      'images of another shape than a model of the user’s own reads',
      async () => {
        const model = ownModel([14, 14, 4])
        await writeLayersModel(place('own'), model)
        model.dispose()
        return { files: [place('own')], model: undefined, proxy: PROXY }
      },
      /reads inputs of shape \[14,14,4\], and those of mnist are \[28,28,1\].*SHAPE_MISMATCH/,
    ],
    [
      'a method that needs examples without any',
      async () => ({ files: [await parent('a'), await parent('b')], method: 'kf-linear' }),
      /kf-linear.*proxy set.*OPTION_INVALID/,
    ],
    [
      'more proxy examples than there are',
      async () => ({ files: [await parent('a')], proxy: { dataset: 'mnist', count: 60_001 } }),
      /mnist:60001.*60000.*OPTION_INVALID/,
    ],
    [
      'tuning without examples',
      async () => ({ files: [await parent('a')], tune: { ...TUNE, epochs: 1 } }),
      /--fine-tune-epochs.*--proxy.*OPTION_INVALID/,
    ],
    [
      'a result in the place of a parent',
      async () => ({ files: [await parent('a')], out: place('a.safetensors') }),
      /place of a parent.*OPTION_INVALID/,
    ],
    [
      'a result in a folder that is not there',
      async () => ({ files: [await parent('a')], out: place('no/where.safetensors') }),
      /where\.safetensors.*FILE_UNREADABLE/,
    ],
    [
      'a width for a model that has none',
      async () => ({ files: [await parent('a')], model: 'lenet', target: 9 }),
      /lenet.*--target.*OPTION_INVALID/,
    ],
  ]

  it.each(cases)('should name %s in one line and write nothing', async (_, make, says) => {
    const input = await make()
    const before = await readdir(folder.path)
    const error = await run(input).catch((thrown: unknown) => thrown as Error)
    expect(error).toBeInstanceOf(Error)
    expect((error as Error).message).toMatch(says)
    expect((error as Error).message).not.toContain('\n')
    expect(await readdir(folder.path)).toEqual(before)
  })
})

// Helpers

const TUNE = { mode: 'both', epochs: 0, learningRate: 0.01, batchSize: 8 } as const

const place = (name: string): string => join(folder.path, name)

const parent = (...[name, options]: [string, Parameters<typeof writeParent>[2]?]) =>
  writeParent(folder.path, name, options)

async function run(given: Partial<FuseFilesInput>) {
  const report = await fuseFiles(fuseInput({ out: place('fused.safetensors'), ...given }))
  return FuseReport.parse(report)
}

/** A network that reads images flat unless told otherwise. */
function ownModel(inputShape = [784]): tf.LayersModel {
  const layers = [
    ...(inputShape.length > 1 ? [tf.layers.flatten({ inputShape })] : []),
    tf.layers.dense({
      units: 4,
      activation: 'relu',
      ...(inputShape.length === 1 && { inputShape }),
    }),
    tf.layers.dense({ units: 10 }),
  ]
  return tf.sequential({ layers })
}
