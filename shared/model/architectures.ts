import { GraftError } from '../errors.ts'
import type { Architecture, DataShape } from './architecture.ts'
import { lenet } from './architectures/lenet.ts'
import { mlp } from './architectures/mlp.ts'
import { resnet18 } from './architectures/resnet18.ts'
import { vgg11 } from './architectures/vgg11.ts'
import { vit } from './architectures/vit.ts'
import { outputShapes } from './layer-shapes.ts'
import { sizeOf } from './weights.ts'

export interface ArchitectureSpec {
  /** How it is written, e.g. `vgg11[:WIDTH]`. */
  readonly usage: string
  /** What is allowed behind the colon, for messages; null when nothing is. */
  readonly allowed: string | null
  /** Taken when nothing is behind the name. */
  readonly fallback: (data: DataShape) => readonly number[]
  /** Numbers behind the colon, or undefined for what is not allowed. */
  readonly parse: (argument: string) => readonly number[] | undefined
  create(numbers: readonly number[], data: DataShape): Architecture
}

const WIDTH = {
  allowed: 'WIDTH must be a whole number from 1 to 1024',
  fallback: () => [64],
  parse: (argument: string) => wholeNumbers([argument], 1024),
} as const

/** Every model that a spec can name, by what stands in front of the colon. */
export const ARCHITECTURES = {
  mlp: {
    usage: 'mlp[:IN-HIDDEN-...-OUT]',
    allowed: 'IN-HIDDEN-...-OUT must be two whole numbers or more',
    fallback: ({ inputShape, numClasses }) => [sizeOf(inputShape), 512, 512, 512, numClasses],
    parse: (argument) => {
      const sizes = wholeNumbers(argument.split('-'), 9_999_999)
      return sizes !== undefined && sizes.length >= 2 ? sizes : undefined
    },
    create: (sizes, data) => {
      const inputs = sizeOf(data.inputShape)
      if (sizes[0] !== inputs) {
        throw invalid(
          `mlp:${sizes.join('-')} reads ${sizes[0] ?? 0} inputs, but an example of shape [${data.inputShape}] has ${inputs}.`,
        )
      }
      return mlp(sizes, data)
    },
  },
  lenet: {
    usage: 'lenet',
    allowed: null,
    fallback: () => [],
    parse: () => undefined,
    create: (_, data) => lenet(data),
  },
  vgg11: {
    ...WIDTH,
    usage: 'vgg11[:WIDTH]',
    create: ([width = 0], data) => vgg11({ width, batchNorm: false }, data),
  },
  'vgg11-bn': {
    ...WIDTH,
    usage: 'vgg11-bn[:WIDTH]',
    create: ([width = 0], data) => vgg11({ width, batchNorm: true }, data),
  },
  resnet18: {
    ...WIDTH,
    usage: 'resnet18[:WIDTH]',
    create: ([width = 0], data) => resnet18(width, data),
  },
  vit: {
    usage: 'vit[:WIDTHxDEPTH]',
    allowed:
      'WIDTH must be a whole number to 32, or a multiple of 32 to 1024; DEPTH one from 1 to 48',
    fallback: () => [128, 6],
    parse: (argument) => {
      const numbers = wholeNumbers(argument.split('x'), 1024)
      const [width = 0, depth = 0] = numbers ?? []
      const isAllowed = (width <= 32 || width % 32 === 0) && depth >= 1 && depth <= 48
      return numbers?.length === 2 && isAllowed ? numbers : undefined
    },
    create: ([width = 0, depth = 0], data) => vit({ width, depth }, data),
  },
} as const satisfies Record<string, ArchitectureSpec>

/**
 * Reads a model's spec, e.g. `mlp`, `vgg11:16` or `vit:64x2`: the name of one of {@link ARCHITECTURES} and
 * its numbers.
 * @throws GraftError GRAFT_ARCHITECTURE_INVALID for another spec, or one that doesn't fit the data
 */
export function parseArchitecture(spec: string, data: DataShape): Architecture {
  const [name, numbers] = parseSpec(spec, data)
  const architecture = ARCHITECTURES[name].create(numbers, data)
  const output = outputShapes(architecture).at(-1)
  if (output?.length !== 1 || output[0] !== data.numClasses) {
    throw invalid(`${spec} gives [${output ?? ''}], but there are ${data.numClasses} classes.`)
  }
  return architecture
}

function parseSpec(
  spec: string,
  data: DataShape,
): [name: keyof typeof ARCHITECTURES, numbers: readonly number[]] {
  const colon = spec.indexOf(':')
  const name = colon < 0 ? spec : spec.slice(0, colon)
  if (!isName(name)) throw invalid(`There is no model "${spec}".`)
  const { allowed, fallback, parse }: ArchitectureSpec = ARCHITECTURES[name]
  const numbers = colon < 0 ? fallback(data) : parse(spec.slice(colon + 1))
  if (numbers === undefined) {
    throw invalid(`There is no model "${spec}": ${allowed ?? `${name} takes no numbers`}.`)
  }
  return [name, numbers]
}

const isName = (name: string): name is keyof typeof ARCHITECTURES =>
  Object.hasOwn(ARCHITECTURES, name)

/** The numbers from 1 to `most` that the words spell; undefined when one is something else. */
function wholeNumbers(words: readonly string[], most: number): number[] | undefined {
  const numbers = words.map((word) => (/^[1-9]\d{0,6}$/.test(word) ? Number(word) : 0))
  return numbers.every((number) => number >= 1 && number <= most) ? numbers : undefined
}

function invalid(problem: string): GraftError {
  return new GraftError('GRAFT_ARCHITECTURE_INVALID', problem)
}
