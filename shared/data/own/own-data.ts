import { createHash } from 'node:crypto'
import { basename, resolve } from 'node:path'
import { createPhaseDisplay } from '../../command/phase-progress.ts'
import type { TextStream } from '../../command/text-stream.ts'
import { BlobId } from '../../ids.ts'
import { createRng } from '../../numeric/rng.ts'
import type { RunData } from '../../protocol/run-data.ts'
import type { Normalisation } from '../dataset-spec.ts'
import type { Dataset } from '../example-set.ts'
import { classWarnings, fitToRun, type RunShape } from './fit-to-run.ts'
import { holdOut } from './hold-out.ts'
import { invalidData, type RawData } from './raw-data.ts'
import { readPath, type ReadPathOptions } from './read-path.ts'
import { constantsOf, measureScale, scaleSplit } from './scale.ts'

/** Who says how inputs are scaled: the run, for everybody alike, or this client's own training part. */
export const NORMALIZE = ['shared', 'own'] as const
export type Normalize = (typeof NORMALIZE)[number]

/** What a run says about its data, as far as it says it: data sets that everybody can have need no more. */
export interface RunDataFacts extends RunShape {
  readonly normalisation: Normalisation
  readonly columns?:
    | readonly { readonly name: string; readonly categories?: readonly string[] | undefined }[]
    | undefined
}

export interface OwnDataOptions extends Omit<ReadPathOptions, 'columns' | 'onRead'> {
  /** Draws the test part of data that have none. */
  readonly seed: number
  /** The run that the data must fit; null where they are what a run is made from. */
  readonly run?: RunDataFacts | null
  /** @default 'shared' */
  readonly normalize?: Normalize
  /** Shows how far reading is. @default process.stderr */
  readonly screen?: TextStream
}

/** A data set of the user's own. */
export interface OwnDataset extends Dataset {
  /** As in `folder of images`. */
  readonly kind: string
  readonly classNames: readonly string[] | null
  readonly normalisation: Normalisation
  /** What was decided for the user, and what looks odd; a sentence each. */
  readonly notes: readonly string[]
  /** What a coordinator with these data announces. */
  readonly runData: RunData
}

/**
 * Reads data of the user's own: {@link readPath} says which. They are divided into a training and a test part
 * where they are not, and normalised: by the run's statistics, or their own.
 *
 * @returns a set that the caller owns
 * @throws GraftError what {@link readPath} throws; GRAFT_DATA_INVALID for fewer than two classes where a
 *   run is made from them; GRAFT_DATA_MISMATCH when they do not fit the run
 * @throws the signal's reason when it aborts
 */
export async function loadOwnData(path: string, options: OwnDataOptions): Promise<OwnDataset> {
  const { seed, run = null, normalize = 'shared', screen = process.stderr, ...reading } = options
  const columns = run?.columns?.map(({ name, categories = null }) => ({ name, categories }))
  const name = nameOf(path)
  const raw = await following(name, screen, (onRead) =>
    readPath(path, { ...reading, ...(columns && { columns }), onRead }),
  )
  const hash = hashOf(raw)
  if (run === null) assertCanTell(raw, path)
  const fitting = run === null ? raw : fitToRun(raw, run, path)
  const fitted = holdOut(fitting, createRng(String(seed)).split('hold-out'))
  const own = measureScale(fitted)
  const normalisation = run === null || normalize === 'own' ? own : run.normalisation
  const { inputShape, numClasses, classNames, train, test } = fitted
  const constants = constantsOf(fitted)
  const notes = [...fitted.notes, ...classWarnings(fitted)]
  if (constants.length > 0)
    notes.push(`Inputs that never vary teach nothing: ${constants.slice(0, 10).join(', ')}.`)
  return {
    name,
    kind: raw.kind,
    train: scaleSplit(fitted, train, normalisation),
    test: scaleSplit(fitted, test, normalisation),
    classNames,
    normalisation,
    notes,
    runData: {
      inputShape: [...inputShape],
      numClasses,
      ...(classNames && { classNames: [...classNames] }),
      ...(raw.columns && {
        columns: raw.columns.map(({ name: column, categories }) => ({
          name: column,
          ...(categories && { categories: [...categories] }),
        })),
      }),
      normalisation: { mean: [...normalisation.mean], std: [...normalisation.std] },
      sha256: hash,
    },
  }
}

/** What was read, and what the user should know of it, a line each. */
export function describeOwnData({ name, kind, train, test, notes }: OwnDataset): string[] {
  const { inputShape, numClasses, labels } = train
  const sizes = `${labels.length} examples to train, ${test.labels.length} to test`
  return [
    `Data: ${name}, ${kind}: ${sizes}; inputs [${inputShape.join(', ')}], ${numClasses} classes.`,
    ...notes,
  ]
}

/** Of the file or folder, without the way there, which is nobody else's business. */
export function nameOf(path: string): string {
  return basename(resolve(path)).replace(/\.(csv|tsv|np[yz]|m?js|mat|tar\.gz|tgz|tar)$/i, '')
}

function assertCanTell({ numClasses, classNames }: RawData, path: string): void {
  if (numClasses >= 2) return
  throw invalidData(
    `${path} has one class, ${classNames?.[0] ?? '0'}: a network needs two or more to tell apart.`,
  )
}

/** Same bytes and labels, same hash, whoever reads them. */
function hashOf({ inputShape, train, test }: RawData): BlobId {
  const hash = createHash('sha256').update(JSON.stringify(inputShape))
  for (const { values, labels } of test === null ? [train] : [train, test]) {
    for (const { buffer, byteOffset, byteLength } of [values, labels]) {
      hash.update(`/${byteLength}/`).update(new Uint8Array(buffer, byteOffset, byteLength))
    }
  }
  return BlobId.parse(hash.digest('hex'))
}

/** Shows progress on a terminal; a few files are read before anybody could look. */
async function following<Value>(
  name: string,
  screen: TextStream,
  read: (onRead: (done: number) => void) => Promise<Value>,
): Promise<Value> {
  if (screen.isTTY !== true) return read(() => undefined)
  const display = createPhaseDisplay(screen, { prepare: `Reading ${name}` })
  try {
    return await read((done) => {
      display.show({ phase: 'prepare', done })
    })
  } finally {
    display.close()
  }
}
