import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import createClient from 'openapi-fetch'
import openapiTS, { astToString } from 'openapi-typescript'
import { io } from 'socket.io-client'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decodeSafetensors } from '../../shared/model/safetensors.ts'
import { msgpackParser } from '../../shared/protocol/msgpack-parser.ts'
import {
  ClientResource,
  pageOf,
  RoundSummary,
  RunResource,
} from '../../shared/protocol/operator/resources.ts'
import { type Running, startGraft } from '../support/graft-process.ts'

const run = promisify(execFile)

/** The paths of a document that is there when the test runs only; that its types compile is a test of its own. */
type Paths = Record<string, never>
type Answered = Promise<{ data?: unknown; error?: unknown }>
interface GeneratedClient {
  GET(path: string, init: object): Answered
  POST(path: string, init: object): Answered
}

const OPTIONS = {
  ...{ model: 'mlp:784-16-10', partition: 'labels:5', clients: 2, rounds: 2, proxy: 100 },
  ...{ examplesPerClient: 100, localEpochs: 1, tuneEpochs: 2, seed: 7 },
}

let home: string
let url: string
let token: string
const processes: Running[] = []

/** A real coordinator that stays, and two real clients that follow run after run. */
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'graft-operator-'))
  const coordinator = startGraft([
    'coordinator',
    '--stay',
    '--port',
    '0',
    '--home',
    join(home, 'coordinator'),
  ])
  processes.push(coordinator)
  const [, once] = await coordinator.printed(/sign-in#once=(graft_[\w-]{43})/)
  ;[, url] = (await coordinator.printed(/Listening on (http:\S+)\./)) as unknown as [string, string]
  const [, join_] = await coordinator.printed(/Join token, shown once: (graft_[\w-]{43})/)
  for (const shard of ['0/2', '1/2']) {
    const words = [
      '--server',
      url,
      '--token',
      join_!,
      '--dataset',
      'mnist',
      '--partition',
      'labels:5',
    ]
    processes.push(startGraft(['client', '--stay', ...words, '--shard', shard]))
  }
  token = await operatorToken(once!)
})

afterAll(async () => {
  for (const each of processes.reverse()) await each[Symbol.asyncDispose]()
  await rm(home, { recursive: true, force: true })
})

describe('a client that is generated from the OpenAPI document', () => {
  it('should drive a run from its form to the download of its model', async () => {
    const api = createClient<Paths>({
      baseUrl: url,
      headers: { authorization: `Bearer ${token}` },
    }) as unknown as GeneratedClient
    const requestId = randomUUID()
    const made = await api.POST('/api/v1/runs', { body: { options: OPTIONS, requestId } })
    expect(made.error).toBeUndefined()
    const params = { path: { run: RunResource.parse(made.data).id } }
    const over = await until(async () => {
      const run = RunResource.parse((await api.GET('/api/v1/runs/{run}', { params })).data)
      return ['finished', 'failed', 'stopped'].includes(run.status) && run
    })
    expect(over).toMatchObject({ status: 'finished', rounds: 2 })
    const rounds = await api.GET('/api/v1/runs/{run}/rounds', { params })
    expect(pageOf(RoundSummary).parse(rounds.data).items).toHaveLength(2)
    const clients = await api.GET('/api/v1/clients', {})
    expect(pageOf(ClientResource).parse(clients.data).items).toMatchObject([
      { isConnected: true, roundsInvited: 2, roundsAccepted: 2 },
      { isConnected: true, roundsInvited: 2, roundsAccepted: 2 },
    ])
    const { data: bytes } = await api.GET('/api/v1/models/{sha256}/safetensors', {
      params: { path: { sha256: over.modelSha256 } },
      parseAs: 'arrayBuffer',
    })
    const { tensors } = decodeSafetensors(new Uint8Array(bytes as ArrayBuffer))
    expect(tensors[0]).toMatchObject({ shape: [784, 16] })
  })
})

describe('the reference', () => {
  it('should start a run with its ten lines of curl, as they stand there', async () => {
    const page = await (await fetch(new URL('/api/v1/reference', url))).text()
    const [, escaped] = /<pre id="ten-lines">(.*?)<\/pre>/s.exec(page)!
    const lines = unescape(escaped!)
    expect(lines.split('\n')).toHaveLength(10)
    const out = join(home, 'model.safetensors')
    const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', lines], {
      env: {
        ...process.env,
        GRAFT_URL: url,
        GRAFT_TOKEN: token,
        GRAFT_OPTIONS: JSON.stringify({ ...OPTIONS, rounds: 1 }),
        GRAFT_OUT: out,
      },
    })
    expect(stdout).toMatch(/^round 1: 0\.\d+$/m)
    expect(stdout).toMatch(/run \S+ is finished, its model is [0-9a-f]{64}/)
    expect(decodeSafetensors(await readFile(out)).tensors[0]).toMatchObject({ shape: [784, 16] })
  })

  it('should need nothing from elsewhere', async () => {
    const page = await (await fetch(new URL('/api/v1/reference', url))).text()
    expect(page).not.toMatch(/<script|src=|https?:\/\/(?!127\.0\.0\.1)/)
  })
})

// Last: while it compiles, this process answers nobody, and connections that wait for its next request are closed.
describe('the types of the OpenAPI document', () => {
  it('should compile, with the names of the resources', async () => {
    const types = astToString(await openapiTS(new URL('/api/v1/openapi.json', url)))
    const use = `
      import type { components, paths } from './api.ts'
      const run = {} as paths['/api/v1/runs/{run}']['get']['responses'][200]['content']['application/json']
      export const status: 'queued' | 'running' | 'paused' | 'finished' | 'failed' | 'stopped' = run.status
      export const named: components['schemas']['RunResource'] = run
      // @ts-expect-error a run has no colour
      export const colour = run.colour`
    await writeFile(join(home, 'api.ts'), types)
    await writeFile(join(home, 'use.ts'), use)
    const program = ts.createProgram([join(home, 'use.ts')], {
      ...{ noEmit: true, strict: true, allowImportingTsExtensions: true, types: [] },
      ...{ module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
    })
    const faults = ts.getPreEmitDiagnostics(program).map(({ messageText }) => messageText)
    expect(faults).toEqual([])
  })
})

// Helpers

/** As a person does it: the link that the coordinator printed signs in, and the session makes a token. */
async function operatorToken(once: string): Promise<string> {
  const json = { 'content-type': 'application/json' }
  const signedIn = await fetch(new URL('/api/v1/session', url), {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ once }),
  })
  const { csrfToken } = (await signedIn.json()) as { csrfToken: string }
  const cookie = signedIn.headers.getSetCookie()[0]!.split(';')[0]!
  const made = await fetch(new URL('/api/v1/tokens', url), {
    method: 'POST',
    headers: { ...json, cookie, 'x-graft-csrf': csrfToken, origin: url },
    body: JSON.stringify({ kind: 'operator', role: 'operator', requestId: randomUUID() }),
  })
  return ((await made.json()) as { secret: string }).secret
}

/** Asks now, and after each news of the live feed, until there is an answer. */
async function until<Answer>(ask: () => Promise<Answer | false>): Promise<Answer> {
  const feed = io(`${url}/operator`, {
    parser: msgpackParser,
    transports: ['websocket'],
    auth: { token },
  })
  let news: () => void = () => undefined
  feed.onAny(() => news())
  try {
    for (;;) {
      const told = new Promise<void>((resolve) => (news = resolve))
      const answer = await ask()
      if (answer !== false) return answer
      await told
    }
  } finally {
    feed.close()
  }
}

const unescape = (html: string): string =>
  html
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
