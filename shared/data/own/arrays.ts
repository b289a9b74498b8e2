import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { unzipSync } from 'fflate'
import { classNumbers } from './class-names.ts'
import { type NumberArray, parseNpy } from './npy.ts'
import { invalidData, type RawData, type RawSplit } from './raw-data.ts'

export interface ArrayOptions {
  /** Names of the arrays with the inputs and with the labels; the usual ones when not given. */
  readonly arrays?: readonly [inputs: string, labels: string] | undefined
}

/** What people call them; the first pair that is there counts. */
const USUAL: readonly (readonly [string, string])[] = [
  ['x', 'y'],
  ['X', 'y'],
  ['X', 'Y'],
  ['images', 'labels'],
  ['data', 'labels'],
  ['data', 'target'],
  ['inputs', 'labels'],
  ['features', 'labels'],
]

/**
 * Reads inputs and labels that NumPy saved: a `.npz` file, or `.npy` files that lie in one folder. The arrays
 * are called `x` and `y`, or `x_train`, `y_train`, `x_test`, `y_test` (also `train_x`), or as told.
 * Inputs are [size, features], [size, height, width] or [size, height, width, channels]; bytes of the
 * latter two are pixels. Labels are [size] or [size, 1], whole numbers from 0.
 *
 * @param path the file, or the folder with `.npy` files
 * @throws GraftError GRAFT_DATA_INVALID for arrays that are missing, of another shape, or not finite
 */
export async function readArrays(path: string, { arrays }: ArrayOptions = {}): Promise<RawData> {
  const found = await readAll(path)
  const pairs = arrays === undefined ? USUAL : [arrays]
  const named = (name: string) => found.get(name)
  for (const [inputs, labels] of pairs) {
    for (const affix of AFFIXES) {
      const [x, y] = [named(affix(inputs, 'train')), named(affix(labels, 'train'))]
      if (x === undefined && y === undefined) continue
      if (x === undefined || y === undefined) {
        throw missing(path, found, affix(x === undefined ? inputs : labels, 'train'))
      }
      const isSplit = affix(inputs, 'train') !== inputs
      const [testX, testY] = isSplit
        ? [named(affix(inputs, 'test')), named(affix(labels, 'test'))]
        : []
      if ((testX === undefined) !== (testY === undefined)) {
        throw missing(path, found, affix(testX === undefined ? inputs : labels, 'test'))
      }
      return toRaw([x, y], testX && testY && [testX, testY])
    }
  }
  throw missing(path, found, arrays === undefined ? 'x and y' : arrays.join(' and '))
}

const AFFIXES: readonly ((name: string, split: string) => string)[] = [
  (name, split) => `${name}_${split}`,
  (name, split) => `${split}_${name}`,
  (name) => name,
]

async function readAll(path: string): Promise<Map<string, NumberArray>> {
  if ((await stat(path)).isFile() && /\.npz$/i.test(path)) return unzip(path)
  const folder = (await stat(path)).isDirectory() ? path : dirname(path)
  const files = (await readdir(folder)).filter((file) => /\.npy$/i.test(file)).sort()
  const arrays = await Promise.all(
    files.map(async (file) => {
      const array = parseNpy(await readFile(join(folder, file)), join(folder, file))
      return [basename(file).replace(/\.npy$/i, ''), array] as const
    }),
  )
  return new Map(arrays)
}

async function unzip(path: string): Promise<Map<string, NumberArray>> {
  let files: Record<string, Uint8Array>
  try {
    files = unzipSync(await readFile(path))
  } catch (cause) {
    throw invalidData(`${path} is no .npz file: write it with numpy.savez.`, cause)
  }
  const arrays = Object.entries(files).map(([file, bytes]) => {
    const name = file.replace(/\.npy$/i, '')
    return [name, parseNpy(bytes, `${name} of ${path}`)] as const
  })
  return new Map(arrays)
}

type Pair = readonly [inputs: NumberArray, labels: NumberArray]

function toRaw(train: Pair, test: Pair | undefined): RawData {
  const inputShape = shapeOf(train[0])
  if (test !== undefined && String(shapeOf(test[0])) !== String(inputShape)) {
    throw invalidData(
      `${test[0].name} has inputs of shape [${shapeOf(test[0])}], and ${train[0].name} [${inputShape}]: give both the same.`,
    )
  }
  const notes: string[] = []
  const [first = 0, , last = 0] = inputShape
  if (inputShape.length === 3 && first <= 4 && last > 4) {
    notes.push(
      `Inputs of shape [${inputShape}] look like channels first; Graft takes them for [height, width, channels]. numpy.transpose(x, (0, 2, 3, 1)) makes that.`,
    )
  }
  const splits = [train, ...(test === undefined ? [] : [test])].map(toSplit)
  const classes = splits.flatMap(({ labels }) => [labels.reduce((a, b) => Math.max(a, b), 0)])
  const seen = new Set(splits[0]!.labels)
  const numClasses = Math.max(...classes) + 1
  if (seen.size < numClasses) {
    notes.push(
      `Labels go to ${numClasses - 1}, so there are ${numClasses} classes; ${numClasses - seen.size} of them have no training example.`,
    )
  }
  return {
    kind: 'arrays',
    inputShape,
    numClasses,
    classNames: null,
    columns: null,
    train: splits[0]!,
    test: splits[1] ?? null,
    notes,
  }
}

/** Of one input; an image without a channel axis gets one. */
function shapeOf({ name, shape }: NumberArray): number[] {
  const [size, ...rest] = shape
  if (size === undefined || rest.length < 1 || rest.length > 3 || rest.includes(0)) {
    throw invalidData(
      `${name} has shape [${shape}]; inputs are [size, features], [size, height, width] or [size, height, width, channels].`,
    )
  }
  if (size === 0) throw invalidData(`${name} has no examples.`)
  return rest.length === 2 ? [...rest, 1] : rest
}

function toSplit([inputs, labels]: Pair): RawSplit {
  const [size = 0, ...axes] = inputs.shape
  const [count, ...others] = labels.shape
  if (others.some((dim) => dim !== 1)) {
    throw invalidData(
      `${labels.name} has shape [${labels.shape}]; labels are [size], one class number an example: numpy.argmax(y, axis=1) makes them of one-hot rows.`,
    )
  }
  if (count !== size) {
    throw invalidData(
      `${inputs.name} has ${size} examples, and ${labels.name} ${count ?? 0} labels.`,
    )
  }
  assertFiniteInputs(inputs, size)
  const isFlatBytes = axes.length === 1 && inputs.data instanceof Uint8Array
  return {
    // Only an image's bytes are shares of 255.
    values: isFlatBytes ? Float32Array.from(inputs.data) : inputs.data,
    labels: classNumbers(labels.data, labels.name),
  }
}

function assertFiniteInputs({ name, data }: NumberArray, size: number): void {
  const wrong = data.findIndex((value) => !Number.isFinite(value))
  if (wrong < 0) return
  const example = Math.floor(wrong / (data.length / size))
  throw invalidData(
    `${name} has ${data[wrong]!} in example ${example}: every input must be a finite number. Fill it in, or leave the example out.`,
  )
}

function missing(path: string, found: ReadonlyMap<string, unknown>, name: string): Error {
  const there = found.size === 0 ? 'no arrays' : `the arrays ${[...found.keys()].join(', ')}`
  return invalidData(
    `${path} has ${there}, and no ${name}. Call them x and y, or x_train, y_train, x_test and y_test, or say which with --arrays INPUTS,LABELS.`,
  )
}
