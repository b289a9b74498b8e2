import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClientId } from '../../shared/ids.ts'
import type { UpdateBegin } from '../../shared/protocol/messages.ts'

/** A file with the first bytes of an update. */
export interface Part {
  readonly round: number
  readonly path: string
}

/** Which parts are there; the folder is read once, as each client begins and hundreds do so together. */
export interface Parts {
  pathOf(client: ClientId, announced: UpdateBegin): string
  /** Call before the file is written. @returns whether an earlier process may have left it */
  add(client: ClientId, announced: UpdateBegin): Promise<boolean>
  /** Removes the client's parts that are unwanted, with their files. */
  remove(client: ClientId, isUnwanted: (part: Part) => boolean): Promise<void>
  /** Clients that have parts. */
  clients(): Promise<ClientId[]>
}

export function createParts(folder: string): Parts {
  /** Of each client, by path. */
  let known: Promise<Map<ClientId, Map<string, Part>>> | undefined

  const parts = () =>
    (known ??= listParts(folder).catch((error: unknown) => {
      known = undefined
      throw error
    }))

  // The hash is in the name, so that after a restart only the same update is resumed.
  function pathOf(client: ClientId, { round, sha256 }: UpdateBegin): string {
    return join(folder, `${client}.${round}.${sha256}.part`)
  }

  return {
    pathOf,

    async add(client, announced) {
      const path = pathOf(client, announced)
      const all = await parts()
      const own = all.get(client) ?? new Map<string, Part>()
      const isLeft = own.has(path)
      all.set(client, own.set(path, { round: announced.round, path }))
      return isLeft
    },

    async remove(client, isUnwanted) {
      const all = await parts()
      const own = all.get(client)
      if (own === undefined) return
      for (const part of [...own.values()].filter(isUnwanted)) {
        await rm(part.path, { force: true })
        own.delete(part.path)
      }
      if (own.size === 0) all.delete(client)
    },

    clients: async () => [...(await parts()).keys()],
  }
}

async function listParts(folder: string): Promise<Map<ClientId, Map<string, Part>>> {
  const parts = new Map<ClientId, Map<string, Part>>()
  for (const file of await readdir(folder)) {
    const match = /^(.+)\.(\d+)\.[0-9a-f]{64}\.part$/.exec(file)
    if (match === null) continue
    const client = match[1] as ClientId
    const path = join(folder, file)
    const own = parts.get(client) ?? new Map<string, Part>()
    parts.set(client, own.set(path, { round: Number(match[2]), path }))
  }
  return parts
}
