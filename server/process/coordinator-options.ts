import type { OwnDataset } from '../../shared/data/own/own-data.ts'
import type { Engine, EngineChoice } from '../../shared/engine/engine.ts'
import type { LogPlace } from '../../shared/log/log.ts'
import type { Layout } from '../../shared/model/layouts.ts'
import type { RunSettings } from '../../shared/protocol/run-settings.ts'
import type { RunForm } from '../api/run-form.ts'
import type { ModelFile } from '../read-model-file.ts'
import type { BucketPlace } from '../store/s3/objects.ts'
import type { TlsFiles } from '../tls/tls-context.ts'

/** What `graft coordinator` was told. */
export interface CoordinatorOptions {
  readonly settings: RunSettings
  /** The data that the settings announce; null: the data set that they name. */
  readonly ownData: OwnDataset | null
  /** Where round 1 starts; null: an untrained model. */
  readonly initial: ModelFile | null
  /** What was changed of a model of the user’s own, a sentence each. */
  readonly modelNotes: readonly string[]
  /** Of `initial`; what it says of itself when not given. */
  readonly layout: Layout | undefined
  readonly listen: {
    readonly host: string
    readonly port: number
    readonly insecure: boolean
    /** @default without TLS */
    readonly tls?: TlsFiles | null
  }
  readonly joinToken: string | undefined
  /** Folder for everything that is kept. */
  readonly home: string
  /** Folder that all coordinators of the database see; the home of this one when not given. */
  readonly shared: string | undefined
  readonly databaseUrl: string | undefined
  /** Bucket for blobs, which all coordinators of the database see; null: a folder. */
  readonly bucketPlace: BucketPlace | null
  /** Longest time that a PostgreSQL server or a bucket may be silent before the coordinator ends. */
  readonly databaseWaitSeconds: number
  /** Whether to wait for the end of another coordinator, and then to go on with its run. */
  readonly isStandby: boolean
  /** Seconds without a sign of life after which a standby takes the lead from a coordinator that hangs. */
  readonly leaseSeconds: number
  /** One that runs already, or which to start. */
  readonly engine: Engine | EngineChoice
  /** Where the report goes besides the folder; `true` is stdout, and then everything else is on stderr. */
  readonly reportTarget: string | true | undefined
  /** Whether it takes run after run from operators, and begins none by itself; the settings are theirs to start from. */
  readonly staysForRuns: boolean
  /** What operators may say of a new run, and what follows from it. */
  readonly runForm: RunForm
  /** What follows from a forecast of the run: nothing but its words, nothing at all, or a refusal of what cannot fit. */
  readonly preflight: 'only' | 'ignored' | 'obeyed'
  /** Processes full of clients beside this one. */
  readonly workers: number
  readonly log: LogPlace
  /** Newest rounds of a run whose updates stay on disk; Infinity: all. */
  readonly keepUpdates: number
  readonly signal: AbortSignal
}
