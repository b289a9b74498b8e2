import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RunReport } from '../../shared/protocol/run-report.ts'
import { freePort } from './free-port.ts'
import { type Running, startGraft } from './graft-process.ts'
import { createTestDatabase } from './database.ts'
import type { S3Server } from './s3-server.ts'
import { createTemporaryFolder } from './temporary-folder.ts'

const TOKEN = 'a-join-token-for-these-tests'

export interface MachinesOptions {
  /** Of the run, on the coordinator's command line. */
  readonly run: readonly string[]
  /** PostgreSQL of both; undefined: each coordinator has an embedded one. */
  readonly databaseUrl?: string | undefined
  /** Blobs of both; undefined: a folder that both see, where there is a database for both. */
  readonly s3?: S3Server | undefined
}

/** Two machines, a and b, that may have a coordinator each; clients know both addresses. */
export async function openMachines({ run, databaseUrl, s3 }: MachinesOptions) {
  const folder = await createTemporaryFolder()
  const ports: Record<string, number> = { a: await freePort(), b: await freePort() }
  const servers = Object.values(ports).map((port) => `http://127.0.0.1:${port}`)
  const homeOf = (machine: string) => join(folder.path, machine)
  const blobs =
    s3 !== undefined
      ? ['--blobs', `s3://${s3.bucket}/ward`]
      : databaseUrl !== undefined
        ? ['--shared', join(folder.path, 'shared')]
        : []
  return {
    homeOf,

    startCoordinator(machine: string, more: readonly string[] = []): Running {
      const places = ['--home', homeOf(machine), ...blobs]
      const words = ['coordinator', '--port', String(ports[machine]), ...places, ...more, ...run]
      return startGraft(words, {
        GRAFT_JOIN_TOKEN: TOKEN,
        ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
        ...s3?.env,
      })
    },

    startClient(shard: string): Running {
      const words = ['client', '--server', servers.join(), '--retry', '120', '--shard', shard]
      return startGraft(words, { GRAFT_TOKEN: TOKEN })
    },

    /** @throws Error when the last model on disk is not the one that it names */
    async report(machine: string): Promise<RunReport> {
      const file = join(homeOf(machine), 'report.json')
      const report = RunReport.parse(JSON.parse(await readFile(file, 'utf8')))
      const model = join(homeOf(machine), 'models', `round-00${report.rounds.length}.safetensors`)
      const hash = createHash('sha256')
        .update(await readFile(model))
        .digest('hex')
      if (hash !== report.final.modelSha256) throw new Error(`${model} is another model`)
      return report
    },

    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

const RUN_OF_STANDBYS = [
  ['--model', 'mlp:784-32-10', '--clients', '2', '--rounds', '2'],
  ['--examples-per-client', '300', '--proxy', '200'],
  ['--local-epochs', '1', '--tune-epochs', '3'],
].flat()

/** The same with a PostgreSQL database of both, whose coordinators stand by for each other unless told otherwise. */
export async function openStandbys(s3?: S3Server) {
  const database = await createTestDatabase()
  const machines = await openMachines({ run: RUN_OF_STANDBYS, databaseUrl: database.url, s3 })
  return {
    ...machines,
    database,
    startCoordinator: (machine: string, more = ['--standby']) =>
      machines.startCoordinator(machine, more),
    async [Symbol.asyncDispose]() {
      await machines[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
    },
  }
}
