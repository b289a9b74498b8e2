import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ApiContext } from '../../server/api/api-context.ts'
import { createRunForm } from '../../server/api/run-form.ts'
import { startApi } from '../../server/api/start-api.ts'
import { closeSockets, createSocketServer } from '../../server/gateway/socket-server.ts'
import { createHttpHost } from '../../server/listen.ts'
import { openBlobs } from '../../server/store/blobs.ts'
import { openStore } from '../../server/store/open-store.ts'
import { createSecret } from '../../server/store/token.ts'
import type { TlsContext } from '../../server/tls/tls-context.ts'
import { parseOptions } from '../../shared/command/command.ts'
import { RUN_OPTIONS, toRunSettings } from '../../shared/command/run-options.ts'
import { type BlobId, ClientId, RoundNumber } from '../../shared/ids.ts'
import { SignedIn } from '../../shared/protocol/operator/resources.ts'
import type { Role } from '../../shared/protocol/operator/role.ts'
import { encodeSafetensors } from '../../shared/model/safetensors.ts'
import { initialWeights } from '../../shared/model/initial-weights.ts'
import { parseArchitecture } from '../../shared/model/architectures.ts'
import { findDataset } from '../../shared/data/datasets.ts'
import { createRng } from '../../shared/numeric/rng.ts'
import type { RoundReport } from '../../shared/protocol/run-report.ts'
import { createTestOperations } from './test-operations.ts'

export const ROLES_AND_NONE = ['viewer', 'operator', 'admin'] as const

/** The API on a real HTTP server and a real store, with a coordinator that agrees to everything. */
export async function startTestApi(
  changes: Partial<ApiContext> = {},
  tls: TlsContext | null = null,
) {
  const home = await mkdtemp(join(tmpdir(), 'graft-api-'))
  const store = await openStore({ databaseUrl: undefined, folder: home })
  const blobs = await openBlobs(join(home, 'blobs'))
  const coordinator = createTestOperations(store)
  const http = createHttpHost({ host: '127.0.0.1', port: 0 }, tls)
  const sockets = createSocketServer(http.server)
  const faults: Error[] = []
  const consoleFolder = join(home, 'console')
  await mkdir(join(consoleFolder, 'assets'), { recursive: true })
  await writeFile(join(consoleFolder, 'index.html'), '<!doctype html><title>Console</title>')
  await writeFile(join(consoleFolder, 'assets', 'index-abc123.js'), 'export {}')
  const context: ApiContext = {
    store,
    blobs,
    operations: coordinator.operations,
    connected: () => [],
    runForm: createRunForm(parseOptions(RUN_OPTIONS, {}), (it) => toRunSettings(it, null)),
    isLeading: () => true,
    consoleFolder,
    onFault: (error) => faults.push(error),
    ...changes,
  }
  const api = await startApi(context, sockets)
  http.answerWith(api.listener)
  const url = await http.listen()
  const secrets = {} as Record<Role, string>
  const tokens = {} as Record<Role, string>
  for (const role of ROLES_AND_NONE) {
    const secret = createSecret()
    const made = { kind: 'operator', clientId: null, role, label: role, expiresAt: null } as const
    tokens[role] = (await store.createToken({ ...made, secret })).id
    secrets[role] = secret
  }

  /** A request as a script sends it, with the token of this role. */
  const ask = async (path: string, how: AskOptions = {}) => {
    const { as = 'admin', body, headers = {}, method = body === undefined ? 'GET' : 'POST' } = how
    return fetch(new URL(path, url), {
      method,
      redirect: 'manual',
      headers: {
        ...(as !== null && { authorization: `Bearer ${secrets[as]}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
  }

  return {
    url,
    home,
    store,
    blobs,
    context,
    coordinator,
    faults,
    secrets,
    tokens,
    ask,
    /** What it answers, of a request that is granted. */
    async get<Body = unknown>(path: string, how: AskOptions = {}): Promise<Body> {
      const response = await ask(path, how)
      const body = (await response.json()) as Body
      if (!response.ok) throw new Error(`${path}: ${response.status} ${JSON.stringify(body)}`)
      return body
    },
    /** Signs in as a browser does. */
    async signIn(role: Role) {
      const response = await ask('/api/v1/session', { as: null, body: { token: secrets[role] } })
      const { csrfToken, session } = SignedIn.parse(await response.json())
      const cookie = response.headers.getSetCookie()[0]!.split(';')[0]!
      return { cookie, csrfToken, session, response }
    },
    /** Operators who hear the feed. */
    connections: () => sockets.of('/operator').sockets.size,
    /** Refusals that the audit log has, once those that are under way are written. */
    async refusals() {
      const all = await store.lists.audit({ action: 'request:refused', limit: 1000 })
      return all.map(({ actor, details }) => ({
        actor,
        ...(details as { code: string; route: string }),
      }))
    },
    /** A run with so many published rounds, a client, and a model that can be downloaded. */
    seed: (rounds = 3) => seed({ store, blobs }, rounds),
    async [Symbol.asyncDispose]() {
      await api.close()
      await closeSockets(sockets, http.server)
      await store.close()
      await rm(home, { recursive: true, force: true })
    },
  }
}

interface AskOptions {
  readonly as?: Role | null
  readonly method?: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

export const CLIENT = ClientId.parse('client-0')

async function seed({ store, blobs }: Pick<ApiContext, 'store' | 'blobs'>, rounds: number) {
  const settings = toRunSettings(parseOptions(RUN_OPTIONS, { model: 'mlp:784-8-10' }), null)
  const token = await store.createToken({
    secret: createSecret(),
    kind: 'join',
    clientId: null,
    label: 'join',
    expiresAt: null,
  })
  const isKnown = (await store.listClients()).some(({ id }) => id === CLIENT)
  if (!isKnown)
    await store.admitClient({ id: CLIENT, tokenId: token.id, version: '0', engine: 'test' })
  const { id: run } = await store.createRun(settings)
  const network = parseArchitecture('mlp:784-8-10', findDataset('mnist'))
  const models: BlobId[] = []
  for (let n = 1; n <= rounds; n++) {
    const round = RoundNumber.parse(n)
    const blob = await blobs.put(
      encodeSafetensors(initialWeights(network, createRng(String(n))), { format: 'graft' }),
    )
    models.push(blob)
    for (const client of [CLIENT, ClientId.parse('client-1')]) {
      await store.appendEvent(run, { type: 'client-ready', round, client })
    }
    const update = {
      blob,
      numExamples: 10,
      classCounts: [4, 6],
      seconds: { train: 1, attribute: 1, upload: 1 },
      sizeBytes: 100,
    }
    await store.appendEvent(run, { type: 'update-received', round, client: CLIENT, update })
    const { ledger, ...report } = reportOf(round, blob)
    await store.saveModel({ run, round, blob, report, ledger })
  }
  await store.setRunStatus(run, 'finished')
  return { run, models, requestId: () => randomUUID() }
}

function reportOf(round: RoundNumber, modelSha256: BlobId): RoundReport {
  const score = { accuracy: 0.5 + round / 100, loss: 1, classAccuracy: [0.5, null] }
  return {
    round,
    cohort: 2,
    uploads: 1,
    parents: [
      {
        client: CLIENT,
        ...score,
        numExamples: 10,
        classCounts: [4, 6],
        contribution: round / 100,
      },
    ],
    controls: {
      ensemble: score,
      average: score,
      averageTuned: null,
      proxyAlone: null,
      bestParentTuned: { ...score, parent: CLIENT },
    },
    fused: score,
    tuned: { ...score, epochs: 1, isTuned: true },
    published: { ...score, candidate: 'tuned', isNew: true, reason: 'better', modelSha256 },
    ledger: { parents: [CLIENT], groups: [{ name: 'dense', neurons: [[[0, 0, 1, null]]] }] },
    evaluations: [{ client: CLIENT, accuracy: 0.25 }],
    seconds: { train: 1, attribute: 1, upload: 1, fuse: 1, tune: 1, evaluate: 1 },
    bytes: { up: 1, down: 2 },
    peakRssMb: 1,
  }
}
