interface ErrorSpec {
  /** HTTP status where the error leaves through an API. */
  readonly status: number
  /** Exit status of a `graft` command that ends with this error. */
  readonly exit: ExitStatus
  /** What the reader can do about it; one imperative sentence. */
  readonly remedy: string
}

/** Exit statuses of every `graft` command. Ctrl-C is 130, as shells have it. */
export const EXIT = {
  ok: 0,
  /** A bug in Graft. */
  internal: 1,
  /** A wrong option, argument or input file. */
  usage: 2,
  /** The coordinator cannot be reached, or the connection broke for good. */
  network: 3,
  /** The coordinator refused the token or the upload. */
  refused: 4,
  /** This machine lacks something: engine, disk, port, database. */
  environment: 5,
  /** The run ended without a published model. */
  run: 6,
} as const
export type ExitStatus = (typeof EXIT)[keyof typeof EXIT]

/** Every failure a client or operator can see. A code is never renamed or reused. */
export const ERRORS = {
  GRAFT_OPTION_INVALID: {
    status: 400,
    exit: EXIT.usage,
    remedy: 'Run the command with --help to see what is allowed.',
  },
  GRAFT_DATASET_UNKNOWN: {
    status: 400,
    exit: EXIT.usage,
    remedy: 'Run `graft data list` to see the data sets.',
  },
  GRAFT_DATASET_INVALID: {
    status: 422,
    exit: EXIT.usage,
    remedy: 'Install the package again (`npm ci`), or give a file in the format named.',
  },
  GRAFT_DATASET_UNAVAILABLE: {
    status: 503,
    exit: EXIT.environment,
    remedy:
      'Connect to the registry that `npm config get registry` names, or run `graft data fetch NAME` while connected.',
  },
  GRAFT_DATA_INVALID: {
    status: 422,
    exit: EXIT.usage,
    remedy: 'Run `graft data inspect PATH` to check the data again.',
  },
  GRAFT_DATA_MISMATCH: {
    status: 422,
    exit: EXIT.refused,
    remedy: 'Bring the data into the shape and classes of the run, which its operator knows.',
  },
  GRAFT_PARTITION_INVALID: {
    status: 400,
    exit: EXIT.usage,
    remedy: 'Choose fewer clients, a smaller proxy set or another partition.',
  },
  GRAFT_ARCHITECTURE_INVALID: {
    status: 400,
    exit: EXIT.usage,
    remedy:
      'Choose mlp[:IN-HIDDEN-...-OUT], lenet, vgg11[:WIDTH], vgg11-bn[:WIDTH], resnet18[:WIDTH] or vit[:WIDTHxDEPTH], or give a model of your own.',
  },
  GRAFT_LAYER_UNSUPPORTED: {
    status: 422,
    exit: EXIT.usage,
    remedy:
      'Build the model from dense, convolutional, separable, embedding, self-attention, normalising, activation, pooling, padding, reshaping, dropout, add, multiply and concatenate layers, each used once, and end it in a dense layer; or teach Graft a layer of your own with `registerLayerOps`.',
  },
  GRAFT_STRATEGY_UNSUITABLE: {
    status: 422,
    exit: EXIT.usage,
    remedy: 'Choose a strategy that can fuse this network.',
  },
  GRAFT_MODEL_FILE_INVALID: {
    status: 422,
    exit: EXIT.usage,
    remedy: 'Write the file again; it must be complete to the last byte.',
  },
  GRAFT_STRATEGY_UNKNOWN: {
    status: 400,
    exit: EXIT.usage,
    remedy: 'Choose a strategy and options that `graft fuse --help` lists.',
  },
  GRAFT_SHAPE_MISMATCH: {
    status: 422,
    exit: EXIT.refused,
    remedy: 'Give every network the architecture of the run, or of --model.',
  },
  GRAFT_NOT_FINITE: {
    status: 422,
    exit: EXIT.refused,
    remedy:
      'Lower the learning rate or look for broken examples; NaN and infinity are never fused.',
  },
  GRAFT_UPDATE_OUTLIER: {
    status: 422,
    exit: EXIT.refused,
    remedy:
      'Ask whose update it is what it was trained on and how; ban the client, or give --outliers report.',
  },
  GRAFT_MODEL_TOO_LARGE: {
    status: 413,
    exit: EXIT.refused,
    remedy: 'Give a larger --max-model-bytes if this machine has the memory, or leave the run.',
  },
  GRAFT_MESSAGE_INVALID: {
    status: 400,
    exit: EXIT.refused,
    remedy:
      'Send what shared/protocol/PROTOCOL.md says, with the same Graft version on both sides.',
  },
  GRAFT_PROTOCOL_VERSION: {
    status: 426,
    exit: EXIT.refused,
    remedy: 'Install the same Graft version on the client and on the coordinator.',
  },
  GRAFT_TOKEN_INVALID: {
    status: 401,
    exit: EXIT.refused,
    remedy: 'Ask the operator for a valid token (`graft token create`).',
  },
  GRAFT_CLIENT_NAME_TAKEN: {
    status: 409,
    exit: EXIT.refused,
    remedy: 'Choose another --name, or use the token this name joined with.',
  },
  GRAFT_CLIENT_BANNED: {
    status: 403,
    exit: EXIT.refused,
    remedy: 'Ask the operator why, and to release this client.',
  },
  GRAFT_NO_RUN: {
    status: 409,
    exit: EXIT.network,
    remedy: 'Send run:join again: it is answered when a run begins.',
  },
  GRAFT_ACTION_REFUSED: {
    status: 409,
    exit: EXIT.refused,
    remedy: 'Look at the state of the run, and ask again when it allows this.',
  },
  GRAFT_NOT_IN_COHORT: {
    status: 403,
    exit: EXIT.refused,
    remedy: 'Wait for a round:invited message that asks for this update.',
  },
  GRAFT_ROUND_STALE: {
    status: 409,
    exit: EXIT.refused,
    remedy: 'Discard the update and wait for the next round:invited message.',
  },
  GRAFT_UPLOAD_UNKNOWN: {
    status: 404,
    exit: EXIT.refused,
    remedy: 'Begin the upload again with update:begin.',
  },
  GRAFT_UPLOAD_TOO_LARGE: {
    status: 413,
    exit: EXIT.refused,
    remedy: 'Send one update of the architecture of the run, nothing more.',
  },
  GRAFT_UPLOAD_CORRUPT: {
    status: 422,
    exit: EXIT.refused,
    remedy: 'Send the update again; its SHA-256 differs from the one announced.',
  },
  GRAFT_BLOB_UNKNOWN: {
    status: 404,
    exit: EXIT.refused,
    remedy: 'Ask only for blobs that a message of this run names.',
  },
  GRAFT_BLOB_CORRUPT: {
    status: 500,
    exit: EXIT.environment,
    remedy: 'Check the disk, then restore the blob folder from a back-up.',
  },
  GRAFT_COHORT_TOO_SMALL: {
    status: 503,
    exit: EXIT.run,
    remedy: 'Lower --quorum, lengthen --deadline, or connect more clients.',
  },
  GRAFT_SERVER_UNREACHABLE: {
    status: 503,
    exit: EXIT.network,
    remedy: 'Check --server, the network, and that `graft coordinator` is running there.',
  },
  GRAFT_PORT_BUSY: {
    status: 503,
    exit: EXIT.environment,
    remedy: 'Choose another --port (0 takes any free one), or stop the process that has it.',
  },
  GRAFT_INSECURE_LISTEN: {
    status: 400,
    exit: EXIT.usage,
    remedy:
      'Give --tls-cert and --tls-key (`graft certs`), or say --insecure when the network is trusted.',
  },
  GRAFT_CERTIFICATE_INVALID: {
    status: 422,
    exit: EXIT.usage,
    remedy: 'Look at it with `graft certs show FILE`; make another with `graft certs --help`.',
  },
  GRAFT_CERTIFICATE_UNTRUSTED: {
    status: 502,
    exit: EXIT.network,
    remedy:
      'Give --tls-ca with the CA of the coordinator, reach it by a name in its certificate, and have an expired one renewed.',
  },
  GRAFT_CERTIFICATE_REFUSED: {
    status: 401,
    exit: EXIT.refused,
    remedy:
      'Give --tls-cert and --tls-key with the certificate that the operator made for this name (`graft certs client NAME`).',
  },
  GRAFT_TLS_MISMATCH: {
    status: 426,
    exit: EXIT.network,
    remedy:
      'Begin --server with https:// when the coordinator has a certificate (--tls-cert), with http:// when it has none.',
  },
  GRAFT_RATE_LIMITED: {
    status: 429,
    exit: EXIT.network,
    remedy: 'Wait as long as it says, and try again; a Graft client does so by itself.',
  },
  GRAFT_BUCKET_UNAVAILABLE: {
    status: 503,
    exit: EXIT.environment,
    remedy:
      'Check --s3-endpoint and the server; start again with the same options to go on, nothing acknowledged is lost.',
  },
  GRAFT_BUCKET_REFUSED: {
    status: 503,
    exit: EXIT.environment,
    remedy:
      'Check --blobs, AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; the key must be allowed to list, get, put and delete there.',
  },
  GRAFT_DATABASE_UNAVAILABLE: {
    status: 503,
    exit: EXIT.environment,
    remedy: 'Check DATABASE_URL and the server, or unset it to use the embedded database.',
  },
  GRAFT_DATABASE_BUSY: {
    status: 503,
    exit: EXIT.environment,
    remedy:
      'Stop the process that uses the embedded database, or set DATABASE_URL to share a PostgreSQL server.',
  },
  GRAFT_HOME_BUSY: {
    status: 503,
    exit: EXIT.environment,
    remedy: 'Stop that process, or give this coordinator another --home.',
  },
  GRAFT_LEADERSHIP_TAKEN: {
    status: 409,
    exit: EXIT.environment,
    remedy: 'Give --standby to wait until it ends, or another DATABASE_URL.',
  },
  GRAFT_LEADERSHIP_LOST: {
    status: 409,
    exit: EXIT.environment,
    remedy: 'Nothing was lost: the other one goes on. Start this one again with --standby.',
  },
  GRAFT_DATABASE_INCOMPATIBLE: {
    status: 503,
    exit: EXIT.environment,
    remedy: 'Start the Graft version that last used this database, or choose an empty one.',
  },
  GRAFT_DISK_FULL: {
    status: 507,
    exit: EXIT.environment,
    remedy: 'Free some space or choose another --home; nothing half-written was kept.',
  },
  GRAFT_RUN_TOO_LARGE: {
    status: 507,
    exit: EXIT.environment,
    remedy:
      'Choose fewer clients at once (--clients), a smaller model or another strategy; or say --ignore-preflight to try it.',
  },
  GRAFT_FILE_UNREADABLE: {
    status: 400,
    exit: EXIT.usage,
    remedy: 'Check the path and its permissions.',
  },
  GRAFT_ENGINE_UNAVAILABLE: {
    status: 503,
    exit: EXIT.environment,
    remedy: 'Run `graft engine install`, or choose --engine wasm, which needs nothing.',
  },
  GRAFT_ENGINE_INSTALL_FAILED: {
    status: 503,
    exit: EXIT.environment,
    remedy: 'Run `graft doctor` to see what is missing; --engine wasm works without it.',
  },
  GRAFT_RUN_FAILED: {
    status: 500,
    exit: EXIT.run,
    remedy:
      'Its rounds say why, in the console and in the coordinator’s messages; run it again when that is mended.',
  },
  GRAFT_REQUEST_INVALID: {
    status: 400,
    exit: EXIT.refused,
    remedy: 'Send what /api/v1/reference says of this route.',
  },
  GRAFT_NOT_FOUND: {
    status: 404,
    exit: EXIT.refused,
    remedy: 'Look for it in the list that it belongs to; /api/v1/reference names every route.',
  },
  GRAFT_METHOD_NOT_ALLOWED: {
    status: 405,
    exit: EXIT.refused,
    remedy: 'Use a method that the header allow names.',
  },
  GRAFT_REQUEST_TOO_LARGE: {
    status: 413,
    exit: EXIT.refused,
    remedy: 'Send less: no request of an operator needs more than 256 KiB.',
  },
  GRAFT_REQUEST_REPEATED: {
    status: 409,
    exit: EXIT.refused,
    remedy:
      'Look at what the first request has done, and give every new wish a requestId of its own.',
  },
  GRAFT_SIGNED_OUT: {
    status: 401,
    exit: EXIT.refused,
    remedy:
      'Sign in with an operator token, or send it as `Authorization: Bearer TOKEN` (`graft token create --operator`).',
  },
  GRAFT_ROLE_TOO_LOW: {
    status: 403,
    exit: EXIT.refused,
    remedy: 'Ask an admin for a token with the role that is named.',
  },
  GRAFT_ORIGIN_REFUSED: {
    status: 403,
    exit: EXIT.refused,
    remedy:
      'Send it from the console’s own page, with the header x-graft-csrf that the sign-in answered.',
  },
  GRAFT_INTERNAL: {
    status: 500,
    exit: EXIT.internal,
    remedy: 'This is a bug in Graft: please report it with the command and GRAFT_DEBUG=1 output.',
  },
} as const satisfies Record<`GRAFT_${string}`, ErrorSpec>

export type ErrorCode = keyof typeof ERRORS

/** A failure that the reader can act on. Programming mistakes are TypeError or RangeError instead. */
export class GraftError extends Error {
  override readonly name = 'GraftError'
  readonly code: ErrorCode
  /** What happened, with the offending values; one line, without the remedy. */
  readonly problem: string
  /** When to try again, where somebody can tell. */
  readonly retryAfterSeconds: number | undefined

  constructor(
    code: ErrorCode,
    problem: string,
    options?: ErrorOptions & { readonly retryAfterSeconds?: number | undefined },
  ) {
    super(`${problem} ${ERRORS[code].remedy} (${code})`, options)
    this.code = code
    this.problem = problem
    this.retryAfterSeconds = options?.retryAfterSeconds
  }
}

/** The one funnel from `unknown` to GraftError; what is not one is a bug and keeps its cause. */
export function toGraftError(error: unknown): GraftError {
  if (error instanceof GraftError) return error
  const code = isErrnoException(error) ? ERRNO_CODES[error.code ?? ''] : undefined
  const problem = error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : String(error)
  return new GraftError(code ?? 'GRAFT_INTERNAL', problem, { cause: error })
}

/** @throws GraftError in the place of whatever `work` throws */
export async function orGraftError<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw toGraftError(error)
  }
}

const ERRNO_CODES: Partial<Record<string, ErrorCode>> = {
  ENOSPC: 'GRAFT_DISK_FULL',
  EDQUOT: 'GRAFT_DISK_FULL',
  EADDRINUSE: 'GRAFT_PORT_BUSY',
  ENOENT: 'GRAFT_FILE_UNREADABLE',
  EACCES: 'GRAFT_FILE_UNREADABLE',
  EISDIR: 'GRAFT_FILE_UNREADABLE',
  ENOTDIR: 'GRAFT_FILE_UNREADABLE',
  EROFS: 'GRAFT_FILE_UNREADABLE',
  EEXIST: 'GRAFT_FILE_UNREADABLE',
}

function isErrnoException(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error
}
