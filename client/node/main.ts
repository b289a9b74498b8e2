import { z } from 'zod'
import { defineCommand, numeric } from '../../shared/command/command.ts'
import { ENGINE_OPTION, FILE_OPTION, LOG_OPTIONS } from '../../shared/command/common-options.ts'
import { list } from '../../shared/command/list-option.ts'
import { DATA_OPTIONS, ownSourceOf } from '../../shared/command/data-options.ts'
import { interruptSignal } from '../../shared/command/run-program.ts'
import { DATASETS, loadDataset } from '../../shared/data/datasets.ts'
import { describeOwnData, NORMALIZE, type OwnDataset } from '../../shared/data/own/own-data.ts'
import { shardName } from '../../shared/data/shard.ts'
import { startEngine } from '../../shared/engine/engine.ts'
import { GraftError } from '../../shared/errors.ts'
import { ClientId } from '../../shared/ids.ts'
import { openLog, screenBeside } from '../../shared/log/log.ts'
import { privacyOf } from '../privacy/privacy-of.ts'
import { MAX_MODEL_BYTES } from './model-limit.ts'
import { readClientTls } from './client-tls.ts'
import { printEvent } from './print-event.ts'
import { runNode } from './node.ts'
import type { ClientData } from './round.ts'
import { assertIsNamed, ownClientData } from './own-client-data.ts'
import { corruptTraining } from './corrupt-training.ts'
import { shardData } from './shard-data.ts'

const Shard = z
  .string()
  .regex(/^\d{1,5}\/[1-9]\d{0,4}$/, 'must be I/N, as in 0/4: part 0 of 4')
  .transform((text) => {
    const [index = 0, count = 1] = text.split('/').map(Number)
    return { index, count }
  })
  .refine(({ index, count }) => index < count, 'I must be from 0 to N - 1')

/** What a run's option says, without its choice of clients. */
const OwnOnly = z
  .string()
  .regex(/^[^@]+$/, 'must not choose clients with @: it is for this client alone')

/** `graft client`: trains on this machine's examples for a coordinator, until the run is finished. */
export const clientCommand = defineCommand({
  name: 'client',
  summary: 'train on this machine’s data for a coordinator',
  examples: [
    'graft client --server http://127.0.0.1:7433 --token TOKEN --shard 0/2',
    'graft client --server http://127.0.0.1:7433 --token TOKEN --data flowers/ --name clinic-a',
    'GRAFT_TOKEN=TOKEN graft client --server https://10.0.0.5:7433,https://10.0.0.6:7433 --tls-ca ca.pem --shard 1/2 --name clinic-b',
  ],
  options: {
    server: list(z.url({ protocol: /^https?$/, error: 'must begin with http:// or https://' }))
      .describe('address of the coordinator; with commas, those of its standbys too')
      .meta({ value: 'URL', env: 'GRAFT_SERVER' }),
    tlsCa: FILE_OPTION.describe(
      'authority to trust at https://; those of the system when not given',
    ).meta({ value: 'FILE', env: 'GRAFT_TLS_CA' }),
    tlsCert: FILE_OPTION.describe('certificate of this client, for mutual TLS').meta({
      value: 'FILE',
      env: 'GRAFT_TLS_CERT',
    }),
    tlsKey: FILE_OPTION.describe('private key of --tls-cert').meta({
      value: 'FILE',
      env: 'GRAFT_TLS_KEY',
    }),
    token: z
      .string()
      .min(1)
      .max(256)
      .describe('token of this client, or the join token')
      .meta({ value: 'TOKEN', env: 'GRAFT_TOKEN', secret: true }),
    name: ClientId.optional()
      .describe(
        'name of this client in the federation; client-I of the shard, or the token’s, when not given',
      )
      .meta({ value: 'NAME', env: 'GRAFT_NAME' }),
    shard: Shard.optional()
      .describe('this client’s part of the data set, I of N; with --data all of it when not given')
      .meta({ value: 'I/N' }),
    dataset: z
      .string()
      .optional()
      .describe(`${Object.keys(DATASETS).join(', ')}; the run’s when not given`)
      .meta({ value: 'NAME' }),
    ...DATA_OPTIONS,
    normalize: z
      .enum(NORMALIZE)
      .optional()
      .describe(
        'how --data is scaled: by the statistics that the run announces (shared, the default) or by its own training part',
      )
      .meta({ value: 'WHOSE' }),
    partition: z
      .string()
      .optional()
      .describe('how the data set is split; as the run says when not given')
      .meta({ value: 'SPEC' }),
    examplesPerClient: numeric(z.int().positive())
      .optional()
      .describe('examples to keep of the part; as the run says when not given')
      .meta({ value: 'N' }),
    labelNoise: OwnOnly.optional()
      .describe('share of this client’s labels that are made wrong, in place of what the run says')
      .meta({ value: 'P' }),
    featureSkew: OwnOnly.optional()
      .describe('what is done to this client’s images, in place of what the run says')
      .meta({ value: 'SPEC' }),
    maxModelBytes: numeric(z.int().positive())
      .default(MAX_MODEL_BYTES)
      .describe('largest model that this machine takes from a coordinator')
      .meta({ value: 'N' }),
    dpClip: numeric(z.number().positive())
      .optional()
      .describe('differential privacy: L2 norm that an update has at most')
      .meta({ value: 'C' }),
    dpNoise: numeric(z.number().positive().max(1000))
      .optional()
      .describe(
        'differential privacy: standard deviation of the noise on each weight, in units of --dp-clip',
      )
      .meta({ value: 'SIGMA' }),
    dpDelta: numeric(z.number().positive().max(0.1))
      .default(1e-5)
      .describe('differential privacy: the delta at which epsilon is told')
      .meta({ value: 'D' }),
    dpLedger: FILE_OPTION.describe(
      'differential privacy: file that counts updates, so that epsilon goes on after a restart; this process alone when not given',
    ).meta({ value: 'FILE', env: 'GRAFT_DP_LEDGER' }),
    ...LOG_OPTIONS,
    engine: ENGINE_OPTION,
    retry: numeric(z.number().positive().max(86_400))
      .default(30)
      .describe('seconds without a connection before giving up')
      .meta({ value: 'SECONDS' }),
    stay: z.literal(true).optional().describe('take part in run after run, until it is ended'),
  },
  async run({ server: servers, token, name, shard, engine, retry, stay, ...given }) {
    const { log: to, logLevel: level, maxModelBytes, ...others } = given
    const { tlsCa, tlsCert, tlsKey, dpClip, dpNoise, ...further } = others
    const { dpDelta, dpLedger, ...about } = further
    const log = openLog({ to, level }, 'client')
    const screen = screenBeside({ to })
    const dp = { clip: dpClip, noise: dpNoise, delta: dpDelta, ledger: dpLedger }
    const privacy = privacyOf(dp, screen)
    const tls = await readClientTls({ ca: tlsCa, cert: tlsCert, key: tlsKey }, servers)
    const { dataset, partition, examplesPerClient, normalize = 'shared', ...rest } = about
    const { labelNoise, featureSkew, ...data } = rest
    const source = ownSourceOf(data, dataset)
    if (source === null && given.normalize !== undefined) {
      throw invalid('--normalize is for data of your own: give --data PATH too.')
    }
    if (source === null && shard === undefined) {
      throw invalid('--shard is missing: give I/N, this client’s part, or --data PATH of your own.')
    }
    if (shard === undefined && partition !== undefined) {
      throw invalid(`--partition ${partition} needs --shard I/N: which part is this client’s.`)
    }
    const { name: engineName, version, reason } = await startEngine(engine)
    screen.write(`Engine: ${engineName} ${version}. ${reason}\n`)
    const signal = interruptSignal()
    await runNode({
      servers,
      tls,
      maxModelBytes,
      log,
      ...(privacy && { privacy }),
      token,
      ...nameOf(name, shard),
      engineName,
      retrySeconds: retry,
      stays: stay === true,
      dataFor: async (settings, id) => {
        const asked = {
          ...settings,
          dataset: dataset ?? settings.dataset,
          partition: partition ?? settings.partition,
          // What the run says is meant for parts of a data set that many have.
          examplesPerClient:
            examplesPerClient ?? (shard === undefined ? null : settings.examplesPerClient),
        }
        const corrupted = (clean: ClientData) =>
          corruptTraining(clean, settings, {
            ...{ id, shard, own: { labelNoise, featureSkew } },
            onCorrupted: (what) => void screen.write(`Training examples: ${what}.\n`),
          })
        if (source !== null) {
          const onLoaded = (loaded: OwnDataset) =>
            void screen.write(`${describeOwnData(loaded).join('\n')}\n`)
          const own = await ownClientData(source, asked, { shard, normalize, onLoaded, signal })
          return corrupted(own)
        }
        assertIsNamed(settings)
        const load = (each: string) => loadDataset(each, { signal })
        return corrupted(await shardData(shard!, asked, { load }))
      },
      onProgress: (event) => printEvent(event, screen),
      signal,
    })
  },
})

/** A token that is made for one client names it; the coordinator says so when it is not. */
function nameOf(
  name: ClientId | undefined,
  shard: z.infer<typeof Shard> | undefined,
): { name?: ClientId } {
  const known = name ?? (shard && shardName(shard))
  return known === undefined ? {} : { name: known }
}

function invalid(problem: string): GraftError {
  return new GraftError('GRAFT_OPTION_INVALID', problem)
}
