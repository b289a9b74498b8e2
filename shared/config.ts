/** Every environment variable that Graft reads; each is the default of the option named after it. */
export const ENVIRONMENT = {
  AWS_ENDPOINT_URL_S3: 'server of the S3 bucket for blobs; that of Amazon when not given',
  DATABASE_URL: 'PostgreSQL server to use; without it the embedded database under --home is used',
  GRAFT_BLOBS: 'S3 bucket for the blobs of coordinators, as s3://BUCKET/PREFIX',
  GRAFT_CACHE: 'folder for what is downloaded once for this user (engine, data sets)',
  GRAFT_DEBUG: 'set to 1 for stack traces and debug messages',
  GRAFT_DP_LEDGER: 'file in which a client counts what its private updates have told',
  GRAFT_ENGINE: 'TensorFlow.js engine: auto, native, webgpu or wasm',
  GRAFT_HOME: 'folder for the database, blobs and models of a coordinator',
  GRAFT_HOST: 'address the coordinator listens on',
  GRAFT_JOIN_TOKEN: 'token with which any client may join; made and printed when not given',
  GRAFT_LOG: 'file for JSON lines of what a coordinator or a client does; - is stdout',
  GRAFT_LOG_LEVEL: 'least that goes there: debug, info, warn or error',
  GRAFT_NAME: 'name of a client',
  GRAFT_PORT: 'port the coordinator listens on',
  GRAFT_SERVER: 'address of the coordinator',
  GRAFT_TLS_CA: 'file of the authority that a client trusts at https://',
  GRAFT_TLS_CERT: 'certificate file of a coordinator or a client',
  GRAFT_TLS_CLIENT_CA: 'file of the authority whose certificates a coordinator asks of clients',
  GRAFT_TLS_KEY: 'file of the private key of GRAFT_TLS_CERT',
  GRAFT_TOKEN: 'token of a client',
} as const
export type EnvironmentVariable = keyof typeof ENVIRONMENT

/** Reads one variable; an empty one counts as absent, as docker compose passes those. */
export function readEnvironment(
  name: EnvironmentVariable,
  environment: NodeJS.ProcessEnv = process.env,
): string | undefined {
  const value = environment[name]
  return value === undefined || value === '' ? undefined : value
}
