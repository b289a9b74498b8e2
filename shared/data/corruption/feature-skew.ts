import { GraftError } from '../../errors.ts'
import type { Rng } from '../../numeric/rng.ts'
import type { ExampleSet } from '../example-set.ts'
import { blur } from './blur.ts'
import {
  ALL_CLIENTS,
  CLIENT_CHOICE_USAGE,
  type ClientChoice,
  parseClientChoice,
} from './client-choice.ts'
import { lowerContrast } from './contrast.ts'
import type { ImageFilter, ImageShape } from './image-filter.ts'
import { rotate } from './rotate.ts'

interface SkewSpec {
  /** How it is written, e.g. `blur:SIGMA`. */
  readonly usage: string
  /** What is allowed behind the colon, for messages. */
  readonly allowed: string
  readonly isAllowed: (amount: number) => boolean
  /** A client's own value. */
  draw(amount: number, rng: Rng): number
  /** Its unit, for display. */
  readonly unit: string
  create(shape: ImageShape, value: number): ImageFilter
}

/** Ways in which one client's images differ from another's, by the name that `--feature-skew` takes. */
export const FEATURE_SKEWS = {
  rotation: {
    usage: 'rotation:DEGREES',
    allowed: 'DEGREES above 0 and at most 180',
    isAllowed: (degrees) => degrees > 0 && degrees <= 180,
    // Each client holds its camera in its own way.
    draw: (degrees, rng) => (2 * rng.next() - 1) * degrees,
    unit: '°',
    create: rotate,
  },
  blur: {
    usage: 'blur:SIGMA',
    allowed: 'SIGMA in pixels above 0 and at most 20',
    isAllowed: (sigma) => sigma > 0 && sigma <= 20,
    draw: (sigma) => sigma,
    unit: ' px',
    create: blur,
  },
  contrast: {
    usage: 'contrast:FACTOR',
    allowed: 'FACTOR from 0, one grey, to below 1',
    isAllowed: (factor) => factor >= 0 && factor < 1,
    draw: (factor) => factor,
    unit: 'x',
    create: lowerContrast,
  },
} as const satisfies Record<string, SkewSpec>
export type SkewKind = keyof typeof FEATURE_SKEWS

/** How it is written, for help and messages. */
export const FEATURE_SKEW_USAGE = `${Object.values(FEATURE_SKEWS)
  .map(({ usage }) => usage)
  .join(', ')}, each [@CLIENTS], several with +`

/** Images of some clients that are changed in one way. */
export interface FeatureSkew {
  readonly kind: SkewKind
  /** As given; a client's own value is drawn from it. */
  readonly amount: number
  readonly clients: ClientChoice
}

/**
 * Reads `rotation:30` or `rotation:30@first:2+blur:1.5@4`: what is done, how much, and to which clients, in the
 * order in which it is done.
 * @throws GraftError GRAFT_OPTION_INVALID naming what is allowed
 */
export function parseFeatureSkew(text: string): FeatureSkew[] {
  return text.split('+').map((item) => {
    const [written = '', clients] = item.split(/@(.*)/s, 2)
    const [kind = '', number = ''] = written.split(/:(.*)/s, 2)
    if (!Object.hasOwn(FEATURE_SKEWS, kind)) {
      throw invalid(item, `${FEATURE_SKEW_USAGE}, with CLIENTS ${CLIENT_CHOICE_USAGE}`)
    }
    const { usage, allowed, isAllowed }: SkewSpec = FEATURE_SKEWS[kind as SkewKind]
    const amount = number.trim() === '' ? NaN : Number(number)
    if (!isAllowed(amount)) throw invalid(item, `${usage} with ${allowed}`)
    return {
      kind: kind as SkewKind,
      amount,
      clients: clients === undefined ? ALL_CLIENTS : parseClientChoice(clients),
    }
  })
}

/** What is done to the images of one client. */
export interface ClientSkew {
  readonly kind: SkewKind
  /** Degrees counter-clockwise, pixels, or a factor. */
  readonly value: number
}

/**
 * @param set borrowed for as long as the result is used
 * @throws GraftError GRAFT_OPTION_INVALID for data that are no images
 */
export function skewFeatures(set: ExampleSet, skews: readonly ClientSkew[]): ExampleSet {
  const shape = imageShapeOf(set)
  const filters = skews.map(({ kind, value }) => FEATURE_SKEWS[kind].create(shape, value))
  const size = shape[0] * shape[1] * shape[2]
  return {
    ...set,
    inputs(indices) {
      let images = set.inputs(indices)
      let others: Float32Array = new Float32Array(images.length)
      for (const filter of filters) {
        for (let from = 0; from < images.length; from += size)
          filter(images.subarray(from, from + size), others.subarray(from, from + size))
        const made = others
        others = images
        images = made
      }
      return images
    },
  }
}

/** @throws GraftError GRAFT_OPTION_INVALID for data that are no images */
export function imageShapeOf({ inputShape }: Pick<ExampleSet, 'inputShape'>): ImageShape {
  const [height, width, channels] = inputShape
  if (inputShape.length === 3 && height! > 1 && width! > 1) return [height!, width!, channels!]
  throw new GraftError(
    'GRAFT_OPTION_INVALID',
    `--feature-skew is for images, [height, width, channels], and these inputs are [${inputShape.join(', ')}]: leave it out.`,
  )
}

function invalid(item: string, allowed: string): GraftError {
  return new GraftError(
    'GRAFT_OPTION_INVALID',
    `The feature skew "${item}" is not allowed: write ${allowed}.`,
  )
}
