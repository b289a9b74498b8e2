import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { sizeOf } from '../../model/weights.ts'
import { classNumbers } from './class-names.ts'
import { invalidData, type RawData, type RawSplit } from './raw-data.ts'

/** What a module of the user's own gives. */
interface Loaded {
  /** Of one input, e.g. [28, 28, 1]. */
  readonly inputShape: readonly number[]
  readonly train: LoadedSplit
  readonly test: LoadedSplit | null
  /** By class number. */
  readonly classNames: readonly string[] | null
}

interface LoadedSplit {
  readonly inputs: ArrayLike<number>
  readonly labels: ArrayLike<number>
}

/**
 * Imports a module of the user's own and calls its `load()`, which returns (or promises)
 * `{ inputShape, train: { inputs, labels }, test?, classNames? }`: inputs are numbers one after the other,
 * [size, ...inputShape]; a `Uint8Array` of images stands for value / 255.
 *
 * It runs with all that this process may do. The path comes from the command line of whoever owns this
 * machine; nothing that a coordinator sends is ever imported.
 *
 * @throws GraftError GRAFT_DATA_INVALID when it cannot be imported, has no `load`, or returns something else
 */
export async function readModuleData(path: string): Promise<RawData> {
  const value = await callLoad(path)
  const { inputShape, train, test, classNames } = check(path, value)
  const splits = [train, ...(test === null ? [] : [test])].map((split, i) =>
    toSplit(`${i === 0 ? 'train' : 'test'} of ${path}`, split, inputShape),
  )
  const largest = splits.flatMap(({ labels }) => [labels.reduce((a, b) => Math.max(a, b), 0)])
  const numClasses = classNames?.length ?? Math.max(...largest) + 1
  if (Math.max(...largest) >= numClasses) {
    throw invalidData(
      `${path} has label ${Math.max(...largest)} and names ${numClasses} classes: name each of them.`,
    )
  }
  return {
    kind: 'module',
    inputShape,
    numClasses,
    classNames,
    columns: null,
    train: splits[0]!,
    test: splits[1] ?? null,
    notes: [],
  }
}

async function callLoad(path: string): Promise<unknown> {
  let module: { load?: unknown }
  try {
    module = (await import(pathToFileURL(resolve(path)).href)) as { load?: unknown }
  } catch (cause) {
    throw invalidData(`${path} cannot be imported: ${messageOf(cause)}.`, cause)
  }
  const { load } = module
  if (typeof load !== 'function') {
    throw invalidData(
      `${path} exports no function load: write \`export async function load() { ... }\`.`,
    )
  }
  try {
    return await (load as () => unknown)()
  } catch (cause) {
    throw invalidData(`load() of ${path} failed: ${messageOf(cause)}.`, cause)
  }
}

function check(path: string, value: unknown): Loaded {
  const { inputShape, train, test, classNames } = asRecord(value)
  const isShape =
    Array.isArray(inputShape) &&
    inputShape.length >= 1 &&
    inputShape.length <= 3 &&
    inputShape.every((dim) => Number.isSafeInteger(dim) && (dim as number) >= 1)
  if (!isShape) {
    throw wrong(path, 'inputShape', 'one to three whole numbers, as in [28, 28, 1]')
  }
  const isNamed = Array.isArray(classNames) && classNames.every((name) => typeof name === 'string')
  if (classNames !== undefined && !isNamed) throw wrong(path, 'classNames', 'a list of words')
  const split = (name: string, given: unknown): LoadedSplit => {
    const { inputs, labels } = asRecord(given)
    if (!isNumbers(inputs)) throw wrong(path, `${name}.inputs`, 'numbers, [size, ...inputShape]')
    if (!isNumbers(labels)) throw wrong(path, `${name}.labels`, 'class numbers, [size]')
    return { inputs, labels }
  }
  return {
    // An image without a channel axis gets one.
    inputShape: [...(inputShape as number[]), ...(inputShape.length === 2 ? [1] : [])],
    train: split('train', train),
    test: test === undefined ? null : split('test', test),
    classNames: isNamed ? classNames : null,
  }
}

function toSplit(
  where: string,
  { inputs, labels }: LoadedSplit,
  shape: readonly number[],
): RawSplit {
  const stride = sizeOf(shape)
  if (labels.length === 0) throw invalidData(`${where} has no examples.`)
  if (inputs.length !== labels.length * stride) {
    throw invalidData(
      `${where} has ${inputs.length} inputs and ${labels.length} labels: ${labels.length * stride} inputs of shape [${shape}] were expected.`,
    )
  }
  const isBytes = inputs instanceof Uint8Array && shape.length === 3
  const values = isBytes ? inputs : Float32Array.from(inputs)
  const odd = values.findIndex((each) => !Number.isFinite(each))
  if (odd >= 0) {
    throw invalidData(
      `${where} has ${values[odd]!} in example ${Math.floor(odd / stride)}: every input must be a finite number.`,
    )
  }
  return { values, labels: classNumbers(labels, where) }
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function isNumbers(value: unknown): value is ArrayLike<number> {
  if (ArrayBuffer.isView(value)) return !(value instanceof DataView) && !isBig(value)
  return Array.isArray(value) && value.every((each) => typeof each === 'number')
}

const isBig = (view: ArrayBufferView): boolean =>
  view instanceof BigInt64Array || view instanceof BigUint64Array

function wrong(path: string, field: string, allowed: string): Error {
  return invalidData(`load() of ${path} must return ${field}: ${allowed}.`)
}

function messageOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause)
  return (text.split('\n', 1)[0] ?? '').replace(/\.$/, '')
}
