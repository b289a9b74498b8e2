import { z } from 'zod'
import type { OwnDataOptions } from '../data/own/own-data.ts'
import { GraftError } from '../errors.ts'
import { kebab, numeric } from './command.ts'

/** How data of the user's own are read: options of every command that takes them. */
export const READING_OPTIONS = {
  label: z
    .string()
    .min(1)
    .optional()
    .describe('of a table: column with the classes; the last one when not given')
    .meta({ value: 'COLUMN' }),
  imageSize: z
    .string()
    .regex(/^[1-9]\d{0,3}x[1-9]\d{0,3}$/, 'must be HEIGHTxWIDTH, as in 32x32')
    .optional()
    .describe(
      'of a folder of images: what they are resized to; the most frequent size when not given',
    )
    .meta({ value: 'HxW' }),
  channels: numeric(z.union([z.literal(1), z.literal(3)], 'must be 1 (grey) or 3 (RGB)'))
    .optional()
    .describe('of a folder of images: 1 (grey) or 3 (RGB); as found when not given')
    .meta({ value: 'N' }),
  arrays: z
    .string()
    .regex(/^[^,]+,[^,]+$/, 'must be two names, as in images,labels')
    .optional()
    .describe(
      'of .npz and .npy: names of the inputs and the labels; x,y and the like when not given',
    )
    .meta({ value: 'X,Y' }),
} as const

export const DATA_OPTIONS = {
  data: z
    .string()
    .min(1)
    .optional()
    .describe(
      'data of your own in place of --dataset: a folder of images by class, .csv, .npz, .npy, .js, CIFAR-100, SVHN',
    )
    .meta({ value: 'PATH' }),
  ...READING_OPTIONS,
} as const

type ReadingOptions = z.infer<z.ZodObject<typeof READING_OPTIONS>>
type DataOptions = z.infer<z.ZodObject<typeof DATA_OPTIONS>>

/** Where data of the user's own are, and how to read them. */
export interface OwnSource {
  readonly path: string
  readonly reading: Pick<OwnDataOptions, 'label' | 'imageSize' | 'channels' | 'arrays'>
}

/**
 * What `--data` and the options beside it say.
 *
 * @param dataset what `--dataset`, or whatever else names examples, says
 * @param flag its name, for the message
 * @returns null without `--data`
 * @throws GraftError GRAFT_OPTION_INVALID when both are given, or options are there for data that are not
 */
export function ownSourceOf(
  options: DataOptions,
  dataset: string | undefined,
  flag = '--dataset',
): OwnSource | null {
  const { data } = options
  if (data !== undefined && dataset !== undefined) {
    throw invalid(`${flag} ${dataset} and --data ${data} both say what the examples are: give one.`)
  }
  if (data !== undefined) return { path: data, reading: readingOf(options) }
  const idle = readingFlag(options)
  if (idle === undefined) return null
  throw invalid(`${idle} says how data of your own are read: give --data PATH too.`)
}

/** The first option that is given of those that say how data are read, as in `--label`. */
export function readingFlag(options: ReadingOptions): string | undefined {
  const given = Object.keys(READING_OPTIONS).find(
    (key) => options[key as keyof ReadingOptions] !== undefined,
  )
  return given && `--${kebab(given)}`
}

/** The options as the readers take them. */
export function readingOf({
  label,
  imageSize,
  channels,
  arrays,
}: ReadingOptions): OwnSource['reading'] {
  const [height = 0, width = 0] = imageSize?.split('x').map(Number) ?? []
  const [inputs = '', labels = ''] = arrays?.split(',') ?? []
  return {
    ...(label !== undefined && { label }),
    ...(imageSize !== undefined && { imageSize: { height, width } }),
    ...(channels !== undefined && { channels }),
    ...(arrays !== undefined && { arrays: [inputs, labels] as const }),
  }
}

/** The words that give another `graft` process the same data. */
export const dataWords = (options: DataOptions): string[] => wordsOf(DATA_OPTIONS, options)

/** The words that let another `graft` process read data in the same way. */
export const readingWords = (options: ReadingOptions): string[] => wordsOf(READING_OPTIONS, options)

function wordsOf(
  keys: object,
  options: Readonly<Record<string, string | number | undefined>>,
): string[] {
  return Object.keys(keys).flatMap((key) => {
    const value = options[key]
    return value === undefined ? [] : [`--${kebab(key)}`, String(value)]
  })
}

function invalid(problem: string): GraftError {
  return new GraftError('GRAFT_OPTION_INVALID', problem)
}
