import { z } from 'zod'
import { LOG_LEVELS } from '../log/log.ts'

/** Options that several commands share, so that they are spelled and explained the same everywhere. */

export const ENGINE_OPTION = z
  .enum(['auto', 'native', 'webgpu', 'wasm'])
  .default('auto')
  .describe('TensorFlow.js engine: native where it is installed, else webgpu on a GPU, else wasm')
  .meta({ value: 'NAME', env: 'GRAFT_ENGINE' })

export const HOME_OPTION = z
  .string()
  .min(1)
  .describe('folder for database, blobs and models')
  .meta({ value: 'DIR', env: 'GRAFT_HOME' })

export const SHARED_OPTION = z
  .string()
  .min(1)
  .optional()
  .describe('folder that all coordinators of a database see, for blobs; --home when not given')
  .meta({ value: 'DIR', env: 'GRAFT_SHARED' })

export const BLOBS_OPTION = z
  .string()
  .regex(
    /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[\w!.*'()=-]+)*\/?$/,
    'must be s3://BUCKET or s3://BUCKET/PREFIX',
  )
  .optional()
  .describe('S3 bucket that all coordinators of a database see, for blobs; a folder when not given')
  .meta({ value: 's3://BUCKET/PREFIX', env: 'GRAFT_BLOBS' })

export const S3_ENDPOINT_OPTION = z
  .url({ protocol: /^https?$/ })
  .optional()
  .describe('server of the bucket, such as MinIO; that of Amazon when not given')
  .meta({ value: 'URL', env: 'AWS_ENDPOINT_URL_S3' })

export const JSON_OPTION = z
  .union([z.string().min(1), z.literal(true)])
  .optional()
  .describe('write the report as JSON, to FILE or stdout')
  .meta({ value: '[FILE]' })

export const DATABASE_OPTION = z
  .string()
  .regex(/^postgres(ql)?:\/\//, 'must begin with postgres:// or postgresql://')
  .optional()
  .describe('PostgreSQL server; the embedded database under --home when not given')
  .meta({ value: 'URL', env: 'DATABASE_URL', secret: true })

/** Path of a file that must be there. */
export const FILE_OPTION = z.string().min(1).optional()

/** What a run will take is said before it begins; these two say what follows. */
export const PREFLIGHT_OPTIONS = {
  preflight: z
    .literal(true)
    .optional()
    .describe('say what the run will take (bytes, disk, memory, time), and begin nothing'),
  ignorePreflight: z
    .literal(true)
    .optional()
    .describe('begin a run that this machine has too little memory or disk for'),
} as const

/** JSON lines for machines; what people see stays as it is. */
export const LOG_OPTIONS = {
  log: z
    .string()
    .min(1)
    .optional()
    .describe('JSON lines of what happens, added to FILE; with - on stdout, and all else on stderr')
    .meta({ value: 'FILE', env: 'GRAFT_LOG' }),
  logLevel: z
    .enum(LOG_LEVELS)
    .default('info')
    .describe(`least that goes to --log: ${LOG_LEVELS.join(', ')}`)
    .meta({ value: 'LEVEL', env: 'GRAFT_LOG_LEVEL' }),
} as const
