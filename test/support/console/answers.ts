import type { z } from 'zod'
import { ERRORS, type ErrorCode } from '../../../shared/errors.ts'
import type { ClientId, RoundNumber, RunId } from '../../../shared/ids.ts'
import { RUN_OPTIONS } from '../../../shared/command/run-options.ts'
import type { ChangedResource } from '../../../shared/protocol/operator/live.ts'
import type {
  AuditResource,
  ClientResource,
  ClientRoundResource,
  ModelComparison,
  ModelResource,
  QuarantinedResource,
  RoundResource,
  SessionResource,
  TokenResource,
} from '../../../shared/protocol/operator/resources.ts'
import { mayAct, type Role } from '../../../shared/protocol/operator/role.ts'
import type { LiveWorld } from './live-world.ts'
import { runFormOf } from './run-form.ts'
import { hexOf, iso, uuidOf, type World } from './world.ts'

type ClientRound = z.infer<typeof ClientRoundResource>

interface Answer {
  readonly status: number
  readonly body?: unknown
  readonly type: string
}

type Resource = ChangedResource

export interface Answers {
  answer(method: string, url: URL, body: unknown): Answer
  onChanged(listener: (resource: Resource) => void): void
  readonly wishes: { readonly path: string; readonly body: unknown }[]
}

interface Visitor {
  readonly role: Role
  readonly isSignedIn: boolean
}

/** What the API would answer of a made-up federation; actions change it as far as a page can tell. */
export function createAnswers(world: World, live: LiveWorld, visitor: Visitor): Answers {
  let isSignedIn = visitor.isSignedIn
  let listener: (resource: Resource) => void = () => undefined
  const wishes: { path: string; body: unknown }[] = []
  const runs = [...world.runs]
  const bans = new Map<string, ClientResource['ban']>()
  const banned = world.clientIds.at(-1)
  if (banned !== undefined)
    bans.set(banned, {
      at: iso(-86_400_000),
      by: 'operator:mara',
      reason: 'Sends a model of another data set.',
    })
  const tokens = tokensOf(world)
  const audit = auditOf(world)
  const quarantine = quarantineOf(world)
  let globalModel = world.run.modelSha256
  const sessions = sessionsOf(visitor.role)

  const changed = (resource: Resource, action: string, details: unknown) => {
    audit.unshift({
      id: String(1000 + audit.length),
      at: new Date().toISOString(),
      actor: 'operator:mara',
      action,
      details,
    })
    listener(resource)
    listener('audit')
  }

  function clientOf(id: ClientId, lane = live.laneOf(id)): ClientResource {
    const i = world.clientIds.indexOf(id)
    const counts = world.classCounts.get(id)!
    return {
      id,
      isConnected: lane.state !== 'away' && !bans.has(id),
      state: bans.has(id) ? 'away' : lane.state,
      version: i % 6 === 2 ? '0.0.9' : '0.1.0',
      engine: ['native', 'wasm', 'webgpu'][i % 5 === 1 ? 1 : i % 7 === 3 ? 2 : 0]!,
      lastSeenAt: lane.state === 'away' ? iso(-400_000) : new Date().toISOString(),
      tokenId: uuidOf('token 1'),
      tokenLabel: 'hospitals',
      numExamples: world.shape.rounds === 0 ? null : counts.reduce((a, b) => a + b, 0),
      classCounts: world.shape.rounds === 0 ? null : [...counts],
      ban: bans.get(id) ?? null,
      roundsInvited: world.shape.rounds,
      roundsAccepted: Math.max(0, world.shape.rounds - (i % 4)),
      contribution: world.shape.rounds === 0 ? null : 0.012 * Math.cos(i * 1.7) + 0.004,
    }
  }

  function models(): ModelResource[] {
    const seen = new Set<string>()
    return world.summaries
      .filter(
        ({ published }) => !seen.has(published.modelSha256) && seen.add(published.modelSha256),
      )
      .map(({ round, published: { modelSha256, accuracy, loss, candidate } }) => ({
        run: world.run.id,
        round,
        sha256: modelSha256,
        sizeBytes: 248_116,
        ...{ accuracy, loss, candidate },
        isGlobal: modelSha256 === globalModel,
        createdAt: iso(-300_000 * (world.shape.rounds - round)),
      }))
      .reverse()
  }

  function clientRounds(client: ClientId): ClientRound[] {
    return world.summaries.toReversed().flatMap(({ round }) => {
      const report = world.reportOf(round)!
      const parent = report.parents.find((one) => one.client === client)!
      return {
        ...{ run: world.run.id, round },
        accuracy: parent.accuracy ?? null,
        loss: parent.loss ?? null,
        numExamples: parent.numExamples,
        classCounts: parent.classCounts ?? null,
        evaluation: report.evaluations?.find((one) => one.client === client)?.accuracy ?? null,
      }
    })
  }

  function compare(url: URL): ModelComparison {
    const of = (name: string) =>
      models().find(({ sha256 }) => sha256 === url.searchParams.get(name))!
    const [a, b] = [of('a'), of('b')]
    const classes = ({ round }: ModelResource) => world.reportOf(round)!.published.classAccuracy!
    return {
      ...{ a, b },
      accuracyGain: b.accuracy - a.accuracy,
      lossGain: a.loss - b.loss,
      classGains: classes(b).map((share, label) => share! - classes(a)[label]!),
      isSameShape: true,
      tensors: [
        'conv2d/kernel',
        'conv2d/bias',
        'conv2d_1/kernel',
        'conv2d_1/bias',
        'dense/kernel',
        'dense/bias',
        'dense_1/kernel',
        'dense_1/bias',
        'dense_2/kernel',
        'dense_2/bias',
      ].map((name, i) => ({
        name,
        shape: name.endsWith('bias') ? [64] : [5, 5, 32, 64],
        distance: 0.3 + 0.4 * Math.abs(Math.sin(i * 1.3)),
        cosine: 0.9 - 0.05 * i,
      })),
    }
  }

  function roundOf(run: string, number: number): Answer {
    const view = live.federation().round
    const isLive = view?.run === run && view.round === number
    const report = run === world.run.id ? world.reportOf(number) : null
    if (report === null && !isLive)
      return problem('GRAFT_NOT_FOUND', `Run ${run} has no round ${number}.`)
    const resource: RoundResource = {
      run: run as RunId,
      round: number as RoundNumber,
      report,
      live: isLive ? view : null,
      lanes: isLive ? live.lanes() : [],
      failure: null,
    }
    return ok(resource)
  }

  function read(path: string, url: URL): Answer {
    const parts = path.split('/').slice(1)
    switch (parts[0] ?? '') {
      case 'session':
        return ok({ session: sessions[0], csrfToken: 'csrf' })
      case 'sessions':
        return page(sessions, url)
      case 'federation':
        return ok(live.federation())
      case 'run-form':
        return ok(runFormOf(RUN_OPTIONS))
      case 'clients': {
        if (parts[1] === undefined)
          return page(
            live.lanes().map((lane) => clientOf(lane.client, lane)),
            url,
          )
        const id = decodeURIComponent(parts[1]) as ClientId
        if (world.clientIds.includes(id))
          return parts[2] === 'rounds' ? page(clientRounds(id), url) : ok(clientOf(id))
        return problem('GRAFT_NOT_FOUND', `There is no client ${id}.`)
      }
      case 'models':
        return parts[1] === 'compare' ? ok(compare(url)) : page(models(), url)
      case 'quarantine':
        return page(quarantine, url)
      case 'tokens':
        return page(tokens, url)
      case 'audit':
        return page(filtered(filtered(audit, url, 'actor'), url, 'action'), url)
      case 'runs': {
        if (parts[1] === undefined) return page(runs, url)
        const run = runs.find(({ id }) => id === parts[1])
        if (run === undefined) return problem('GRAFT_NOT_FOUND', `There is no run ${parts[1]}.`)
        if (parts[2] === undefined) return ok(run)
        if (parts[3] === undefined) return page(run.id === world.run.id ? world.summaries : [], url)
        const number = Number(parts[3])
        if (parts[4] === 'ledger')
          return ok({ run: run.id, round: number, ledger: world.ledgerOf(number) })
        return roundOf(run.id, number)
      }
    }
    return problem('GRAFT_NOT_FOUND', `There is no ${path}.`)
  }

  function act(path: string, body: Record<string, unknown>): Answer {
    const [, kind, id = '', sub] = path.split('/').map(decodeURIComponent)
    const action = textOf(body['action'])
    if (kind === 'runs' && id === '') {
      const options = body['options'] as Record<string, unknown>
      if (Number(options['clients'] ?? 1) > 10_000)
        return problem(
          'GRAFT_OPTION_INVALID',
          `--clients ${JSON.stringify(options['clients'])} is not allowed: Too big: expected number to be <=10000.`,
        )
      const run = {
        ...world.run,
        id: uuidOf(`run ${runs.length + 1}`) as RunId,
        number: runs.length + 1,
        status: 'queued' as const,
        rounds: 0,
        accuracy: null,
      }
      runs.unshift(run)
      changed('runs', 'run:created', options)
      return ok(run, 201)
    }
    if (kind === 'runs' && sub === 'actions') {
      const at = runs.findIndex((run) => run.id === id)
      const status = ({ pause: 'paused', resume: 'running', stop: 'stopped' } as const)[action]
      if (status !== undefined) runs[at] = { ...runs[at]!, status }
      live.paused.is = action === 'pause' || (live.paused.is && action !== 'resume')
      changed('runs', `run:${action}`, { run: id })
      return ok(runs[at])
    }
    if (kind === 'clients') {
      if (action === 'ban')
        bans.set(id, {
          at: new Date().toISOString(),
          by: 'operator:mara',
          reason: textOf(body['reason']),
        })
      else bans.delete(id)
      changed('clients', action === 'ban' ? 'client:banned' : 'client:released', {
        client: id,
        reason: body['reason'],
      })
      return ok(clientOf(id as ClientId))
    }
    if (kind === 'models') {
      globalModel = id as typeof globalModel
      changed('models', `model:${action}`, { sha256: id })
      return ok(models().find(({ sha256 }) => sha256 === id))
    }
    if (kind === 'quarantine') {
      quarantine.splice(
        quarantine.findIndex((one) => one.id === id),
        1,
      )
      changed('quarantine', `quarantine:${action}`, { id })
      return { status: 204, type: 'application/json' }
    }
    if (kind === 'tokens') {
      const at = tokens.findIndex((token) => token.id === id)
      if (action === 'revoke') {
        tokens[at] = { ...tokens[at]!, state: 'revoked', revokedAt: new Date().toISOString() }
        changed('tokens', 'token:revoked', { token: id })
        return ok(tokens[at])
      }
      const made: TokenResource =
        at >= 0
          ? tokens[at]!
          : {
              id: uuidOf(`token ${tokens.length + 1}`),
              kind: body['kind'] as TokenResource['kind'],
              role: (body['role'] ?? null) as Role | null,
              client: (body['client'] ?? null) as ClientId | null,
              label: textOf(body['label']),
              createdAt: new Date().toISOString(),
              expiresAt: null,
              revokedAt: null,
              state: 'valid',
            }
      if (at < 0) tokens.unshift(made)
      changed('tokens', at < 0 ? 'token:created' : 'token:rotated', { token: made.id })
      return ok(
        {
          ...made,
          secret: 'graft_op_7Kq2vX0hJx1mT9sWb4Zc8nRe',
          previousUntil: at < 0 ? null : iso(86_400_000),
        },
        201,
      )
    }
    return problem('GRAFT_NOT_FOUND', `There is no ${path}.`)
  }

  return {
    wishes,
    onChanged: (to) => {
      listener = to
    },
    answer: (method, url, body) => {
      const path = url.pathname.slice('/api/v1'.length)
      if (method === 'POST' && path === '/session') {
        const { token, once } = body as { token?: string; once?: string }
        if (token === 'wrong' || once === 'used')
          return problem(
            'GRAFT_SIGNED_OUT',
            'The token is not one of an operator, or no longer valid.',
          )
        isSignedIn = true
        return ok({ session: sessions[0], csrfToken: 'csrf' })
      }
      if (!isSignedIn) return problem('GRAFT_SIGNED_OUT', 'Nobody is signed in.')
      if (method === 'GET') return read(path, url)
      wishes.push({ path, body })
      if (method === 'DELETE') {
        if (path === '/session') isSignedIn = false
        else
          sessions.splice(
            sessions.findIndex(({ id }) => path.endsWith(id)),
            1,
          )
        return { status: 204, type: 'application/json' }
      }
      if (!mayAct(visitor.role, 'operator'))
        return problem('GRAFT_ROLE_TOO_LOW', 'This takes the role operator.')
      return act(path, body as Record<string, unknown>)
    },
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

const ok = (body: unknown, status = 200): Answer => ({ status, body, type: 'application/json' })

function problem(code: ErrorCode, detail: string): Answer {
  const { status, remedy } = ERRORS[code]
  return {
    status,
    type: 'application/problem+json',
    body: { type: 'about:blank', title: 'Refused', status, detail, code, remedy, instance: '/' },
  }
}

function page(items: readonly unknown[], url: URL): Answer {
  const limit = Number(url.searchParams.get('limit') ?? 50)
  const from = Number(url.searchParams.get('cursor') ?? 0)
  const next = from + limit < items.length ? String(from + limit) : null
  return ok({ items: items.slice(from, from + limit), next })
}

function filtered<Item extends object>(items: readonly Item[], url: URL, key: string): Item[] {
  const wanted = url.searchParams.get(key)
  return items.filter(
    (item) => wanted === null || String((item as Record<string, unknown>)[key]).includes(wanted),
  )
}

function sessionsOf(role: Role): SessionResource[] {
  return [
    ['mara', role, true, 'Mozilla/5.0 (X11; Linux x86_64) Chrome/142.0'],
    ['jonas', 'viewer', false, 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0) Safari/605.1'],
  ].map(([label, of, isOwn, userAgent], i) => ({
    id: uuidOf(`session ${i}`),
    label: label as string,
    role: of as Role,
    createdAt: iso(-7_200_000 * (i + 1)),
    lastSeenAt: iso(-60_000 * i),
    expiresAt: iso(36_000_000),
    userAgent: userAgent as string,
    isOwn: isOwn as boolean,
  }))
}

function tokensOf({ clientIds }: World): TokenResource[] {
  const base = {
    client: null,
    role: null,
    createdAt: iso(-86_400_000 * 12),
    expiresAt: null,
    revokedAt: null,
    state: 'valid' as const,
  }
  const all: TokenResource[] = [
    {
      ...base,
      id: uuidOf('token 1'),
      kind: 'join',
      label: 'hospitals',
      expiresAt: iso(86_400_000 * 30),
    },
    { ...base, id: uuidOf('token 2'), kind: 'operator', role: 'admin', label: 'mara' },
    { ...base, id: uuidOf('token 3'), kind: 'operator', role: 'viewer', label: 'jonas' },
    {
      ...base,
      id: uuidOf('token 4'),
      kind: 'client',
      client: clientIds[0] ?? null,
      label: 'first site',
    },
    {
      ...base,
      id: uuidOf('token 5'),
      kind: 'join',
      label: 'trial',
      state: 'revoked',
      revokedAt: iso(-86_400_000),
    },
  ]
  return clientIds.length === 0 ? all.slice(1, 2) : all
}

function auditOf({ clientIds, run }: World): AuditResource[] {
  if (clientIds.length === 0) return []
  return [
    [
      'operator:mara',
      'client:banned',
      { client: clientIds.at(-1), reason: 'Sends a model of another data set.' },
    ],
    ['operator:mara', 'run:created', { run: run.id, strategy: 'kf-linear' }],
    ['operator:jonas', 'action:refused', { refused: 'GRAFT_ROLE_TOO_LOW' }],
    ['operator:mara', 'token:created', { kind: 'operator', role: 'viewer', label: 'jonas' }],
    [`client:${clientIds[0]!}`, 'client:admitted', { token: 'hospitals' }],
    ['coordinator', 'session:opened', { label: 'mara' }],
  ].map(([actor, action, details], i) => ({
    id: String(900 - i),
    at: iso(-600_000 * (i + 1) ** 2),
    actor: actor as string,
    action: action as string,
    details,
  }))
}

function quarantineOf({ clientIds, shape }: World): QuarantinedResource[] {
  if (clientIds.length < 4) return []
  return [3, 1].map((i) => ({
    id: `${clientIds[i]!}.${shape.rounds + (i === 3 ? 1 : 0)}.${hexOf(`bad ${i}`)}.safetensors`,
    client: clientIds[i]!,
    round: (shape.rounds + (i === 3 ? 1 : 0)) as RoundNumber,
    sha256: hexOf(`bad ${i}`),
    sizeBytes: 249_312,
    at: iso(-60_000 * i),
    code: i === 3 ? 'GRAFT_NOT_FINITE' : 'GRAFT_SHAPE_MISMATCH',
    problem:
      i === 3
        ? 'kernel of dense_1: 3 of 30,720 values are not finite.'
        : 'dense has [800, 256] here and [784, 256] in the update.',
    canRelease: i === 3,
  }))
}
