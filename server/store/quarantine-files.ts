import { BlobId, ClientId } from '../../shared/ids.ts'

/** Files of uploads that are set aside, by the names that the audit log has for them. */
export interface QuarantineFiles {
  /** Moves a file in; one of this name is replaced. @throws GraftError GRAFT_DISK_FULL */
  move(path: string, name: string): Promise<void>
  /** The same of a file that stays where it is, too. */
  copy(path: string, name: string): Promise<void>
  /** @param client only its files; all when absent */
  list(client?: ClientId): Promise<QuarantinedFile[]>
  /** @throws GraftError GRAFT_FILE_UNREADABLE when it is not there */
  read(name: string): Promise<Uint8Array>
  /** One that is not there is removed already. */
  remove(name: string): Promise<void>
}

export interface QuarantinedFile {
  readonly name: string
  readonly sizeBytes: number
  /** When it was put here. */
  readonly at: Date
}

/** Whose upload a file is, and its hash. */
export interface FileOwner {
  readonly client: ClientId
  readonly sha256: BlobId
}

export const quarantineName = (client: ClientId, round: number, sha256: BlobId): string =>
  `${client}.${round}.${sha256}.safetensors`

/** Whether a file is one of those that {@link quarantineName} names, and of this client, where one is given. */
export function isOf(name: string, client?: ClientId): boolean {
  const owner = ownerOf(name)
  return owner !== null && (client === undefined || owner.client === client)
}

/** @returns null for what {@link quarantineName} does not make */
export function ownerOf(name: string): FileOwner | null {
  // A client's name may have dots, too.
  const [, client, sha256] = /^(.+)\.\d+\.([0-9a-f]{64})\.safetensors$/.exec(name) ?? []
  if (client === undefined || sha256 === undefined) return null
  return { client: ClientId.parse(client), sha256: BlobId.parse(sha256) }
}
