import { z } from 'zod'
import { defineCommand, numeric } from '../shared/command/command.ts'
import {
  BLOBS_OPTION,
  DATABASE_OPTION,
  ENGINE_OPTION,
  FILE_OPTION,
  HOME_OPTION,
  JSON_OPTION,
  LOG_OPTIONS,
  PREFLIGHT_OPTIONS,
  S3_ENDPOINT_OPTION,
  SHARED_OPTION,
} from '../shared/command/common-options.ts'
import { ownSourceOf } from '../shared/command/data-options.ts'
import { RUN_OPTIONS, toRunSettings } from '../shared/command/run-options.ts'
import { interruptSignal } from '../shared/command/run-program.ts'
import { loadOwnData } from '../shared/data/own/own-data.ts'
import { startEngine } from '../shared/engine/engine.ts'
import { assertCanAnnounce } from '../shared/protocol/run-data.ts'
import { createRunForm } from './api/run-form.ts'
import { readModelFile } from './read-model-file.ts'
import { isModelPath, readOwnModel } from './read-own-model.ts'
import { startCoordinator } from './start-coordinator.ts'
import { tlsFilesOf } from './tls/tls-files-of.ts'

export const coordinatorCommand = defineCommand({
  name: 'coordinator',
  summary: 'wait for clients, run the rounds, publish the fused models',
  examples: [
    'graft coordinator --clients 2 --partition labels:5 --strategy nt --seed 7',
    'graft coordinator --data flowers/ --clients 2 --proxy 200 --model lenet',
    'graft coordinator --clients 5 --host 0.0.0.0 --tls-cert graft-certs/server.pem --tls-key graft-certs/server-key.pem',
    'DATABASE_URL=postgres://graft@db/graft graft coordinator --clients 5 --rounds 10 --quorum 3',
    'graft coordinator --clients 5 --rounds 10 --quorum 3 --shared /mnt/graft --standby    (the same on a second machine)',
    'graft coordinator --clients 5 --rounds 10 --quorum 3 --blobs s3://graft/ward --s3-endpoint http://minio:9000 --standby',
    'graft coordinator --clients 50 --model vgg11 --preflight    (what would it take?)',
    'graft coordinator --stay    (runs are begun in the console)',
  ],
  options: {
    ...RUN_OPTIONS,
    host: z
      .string()
      .default('127.0.0.1')
      .describe('address to listen on')
      .meta({ value: 'ADDRESS', env: 'GRAFT_HOST' }),
    port: numeric(z.int().nonnegative().max(65_535))
      .default(7433)
      .describe('port to listen on; 0 takes any free one')
      .meta({ value: 'N', env: 'GRAFT_PORT' }),
    insecure: z.literal(true).optional().describe('listen beyond loopback without TLS'),
    tlsCert: FILE_OPTION.describe('certificate to serve TLS with, as of `graft certs server`').meta(
      {
        value: 'FILE',
        env: 'GRAFT_TLS_CERT',
      },
    ),
    tlsKey: FILE_OPTION.describe('private key of --tls-cert').meta({
      value: 'FILE',
      env: 'GRAFT_TLS_KEY',
    }),
    tlsClientCa: FILE_OPTION.describe(
      'authority whose certificates clients must have, with their names (mutual TLS)',
    ).meta({ value: 'FILE', env: 'GRAFT_TLS_CLIENT_CA' }),
    joinToken: z
      .string()
      .min(16)
      .optional()
      .describe('token with which any client may join; made and printed when not given')
      .meta({ value: 'TOKEN', env: 'GRAFT_JOIN_TOKEN', secret: true }),
    home: HOME_OPTION.default('graft-data'),
    shared: SHARED_OPTION,
    blobs: BLOBS_OPTION,
    s3Endpoint: S3_ENDPOINT_OPTION,
    database: DATABASE_OPTION,
    databaseWait: numeric(z.number().nonnegative().max(86_400))
      .default(600)
      .describe(
        'seconds that a PostgreSQL server or a bucket may be silent before the coordinator ends',
      )
      .meta({ value: 'SECONDS' }),
    standby: z
      .literal(true)
      .optional()
      .describe('wait while another coordinator leads this database, then go on with its run'),
    lease: numeric(z.number().positive().max(86_400))
      .default(30)
      .describe(
        'seconds without a sign of life after which a standby takes the lead from a coordinator that hangs; longer than any computation of a round holds up its process',
      )
      .meta({ value: 'SECONDS' }),
    stay: z
      .literal(true)
      .optional()
      .describe(
        'take run after run from operators, and begin none by itself; options of a run are what their form starts with',
      ),
    keepUpdates: z
      .union([z.literal('all'), numeric(z.int().nonnegative())])
      .default(2)
      .describe('newest rounds of a run whose updates stay on disk, or all; models stay anyhow')
      .meta({ value: 'N' }),
    ...LOG_OPTIONS,
    ...PREFLIGHT_OPTIONS,
    besideWorkers: numeric(z.int().nonnegative())
      .default(0)
      .describe('processes full of clients on this machine, which take memory too')
      .meta({ value: 'N', hidden: true }),
    engine: ENGINE_OPTION,
    json: JSON_OPTION,
  },
  async run({ host, port, insecure, joinToken, home, shared, ...given }) {
    const { database, databaseWait, standby, lease, stay, engine, json, ...others } = given
    const { tlsCert, tlsKey, tlsClientCa, blobs, s3Endpoint, ...more } = others
    const { preflight, ignorePreflight, besideWorkers, keepUpdates, ...rest } = more
    const { log, logLevel, ...run } = rest
    const tls = tlsFilesOf({ cert: tlsCert, key: tlsKey, clientCa: tlsClientCa })
    const signal = interruptSignal()
    const source = ownSourceOf(run, run.dataset)
    const own =
      source && (await loadOwnData(source.path, { ...source.reading, seed: run.seed, signal }))
    if (own !== null) assertCanAnnounce(own.runData)
    const hasOwnModel = isModelPath(run.model)
    // Reading a model takes an engine; a spec waits until everything else has been checked.
    const started = hasOwnModel ? await startEngine(engine) : engine
    const model = hasOwnModel ? await readOwnModel(run.model) : null
    const initial =
      run.from === undefined ? (model?.initial ?? null) : await readModelFile(run.from)
    await startCoordinator({
      settings: toRunSettings(run, initial?.id ?? null, own, model),
      ownData: own,
      initial,
      modelNotes: model?.notes ?? [],
      layout: run.layout,
      listen: { host, port, insecure: insecure === true, tls },
      joinToken,
      home,
      shared,
      bucketPlace: blobs === undefined ? null : { address: blobs, endpoint: s3Endpoint },
      databaseUrl: database,
      databaseWaitSeconds: databaseWait,
      isStandby: standby === true,
      leaseSeconds: lease,
      staysForRuns: stay === true,
      runForm: createRunForm(
        run,
        (options) => toRunSettings(options, initial?.id ?? null, own, model),
        [
          ...(own === null ? [] : (['dataset'] as const)),
          ...(hasOwnModel ? (['model'] as const) : []),
        ],
      ),
      engine: started,
      preflight: preflight === true ? 'only' : ignorePreflight === true ? 'ignored' : 'obeyed',
      workers: besideWorkers,
      keepUpdates: keepUpdates === 'all' ? Infinity : keepUpdates,
      log: { to: log, level: logLevel },
      reportTarget: json,
      signal,
    })
  },
})
