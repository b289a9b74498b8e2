import { z } from 'zod'
import { defineCommand, numeric } from '../../shared/command/command.ts'
import { ENGINE_OPTION } from '../../shared/command/common-options.ts'
import { interruptSignal } from '../../shared/command/run-program.ts'
import { DATASETS, loadDataset } from '../../shared/data/datasets.ts'
import { startEngine } from '../../shared/engine/engine.ts'
import { ClientId } from '../../shared/ids.ts'
import { printEvent } from './print-event.ts'
import { runNode } from './node.ts'
import { shardData, shardName } from './shard-data.ts'

const Shard = z
  .string()
  .regex(/^\d{1,5}\/[1-9]\d{0,4}$/, 'must be I/N, as in 0/4: part 0 of 4')
  .transform((text) => {
    const [index = 0, count = 1] = text.split('/').map(Number)
    return { index, count }
  })
  .refine(({ index, count }) => index < count, 'I must be from 0 to N - 1')

/** `graft client`: trains on this machine's examples for a coordinator, until the run is finished. */
export const clientCommand = defineCommand({
  name: 'client',
  summary: 'train on this machine’s data for a coordinator',
  examples: [
    'graft client --server http://127.0.0.1:7433 --token TOKEN --shard 0/2',
    'GRAFT_TOKEN=TOKEN graft client --server http://10.0.0.5:7433 --shard 1/2 --name clinic-b',
  ],
  options: {
    server: z
      .url({ protocol: /^https?$/, error: 'must begin with http:// or https://' })
      .describe('address of the coordinator')
      .meta({ value: 'URL', env: 'GRAFT_SERVER' }),
    token: z
      .string()
      .min(1)
      .max(256)
      .describe('token of this client, or the join token')
      .meta({ value: 'TOKEN', env: 'GRAFT_TOKEN', secret: true }),
    name: ClientId.optional()
      .describe('name of this client in the federation; client-I of the shard when not given')
      .meta({ value: 'NAME', env: 'GRAFT_NAME' }),
    shard: Shard.describe('this client’s part of the data set, I of N').meta({ value: 'I/N' }),
    dataset: z
      .string()
      .optional()
      .describe(`${Object.keys(DATASETS).join(', ')}; the run’s when not given`)
      .meta({ value: 'NAME' }),
    partition: z
      .string()
      .optional()
      .describe('how the data set is split; as the run says when not given')
      .meta({ value: 'SPEC' }),
    examplesPerClient: numeric(z.int().positive())
      .optional()
      .describe('examples to keep of the part; as the run says when not given')
      .meta({ value: 'N' }),
    engine: ENGINE_OPTION,
    retry: numeric(z.number().positive().max(86_400))
      .default(30)
      .describe('seconds without a connection before giving up')
      .meta({ value: 'SECONDS' }),
  },
  async run({ server, token, name, shard, dataset, partition, examplesPerClient, engine, retry }) {
    const { name: engineName, version, reason } = await startEngine(engine)
    process.stdout.write(`Engine: ${engineName} ${version}. ${reason}\n`)
    const signal = interruptSignal()
    await runNode({
      server,
      token,
      name: name ?? shardName(shard),
      engineName,
      retrySeconds: retry,
      dataFor: (settings) =>
        shardData(
          shard,
          {
            ...settings,
            dataset: dataset ?? settings.dataset,
            partition: partition ?? settings.partition,
            examplesPerClient: examplesPerClient ?? settings.examplesPerClient,
          },
          (each) => loadDataset(each, { signal }),
        ),
      onProgress: (event) => printEvent(event, process.stdout),
      signal,
    })
  },
})
