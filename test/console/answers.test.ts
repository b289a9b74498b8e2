import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { FederationView, LiveEvent, ClientLane } from '../../shared/protocol/operator/live.ts'
import {
  AuditResource,
  ClientResource,
  ClientRoundResource,
  LedgerResource,
  ModelComparison,
  ModelResource,
  NewToken,
  pageOf,
  Problem,
  QuarantinedResource,
  RoundResource,
  RoundSummary,
  RunFormResource,
  RunResource,
  SessionResource,
  SignedIn,
  TokenResource,
} from '../../shared/protocol/operator/resources.ts'
import { createAnswers } from '../support/console/answers.ts'
import { createLiveWorld } from '../support/console/live-world.ts'
import { createWorld } from '../support/console/world.ts'

const world = createWorld({ clients: 8, rounds: 3 })
const live = createLiveWorld(world)
const { answer } = createAnswers(world, live, { role: 'admin', isSignedIn: true })
const run = `/runs/${world.run.id}`
const [a, b] = [world.summaries[0]!, world.summaries[1]!].map(
  ({ published }) => published.modelSha256,
)

describe('the made-up console', () => {
  it.each([
    ['/session', SignedIn],
    ['/sessions', pageOf(SessionResource)],
    ['/federation', FederationView],
    ['/run-form', RunFormResource],
    ['/runs', pageOf(RunResource)],
    [run, RunResource],
    [`${run}/rounds`, pageOf(RoundSummary)],
    [`${run}/rounds/2`, RoundResource],
    [`${run}/rounds/4`, RoundResource],
    [`${run}/rounds/2/ledger`, LedgerResource],
    ['/clients', pageOf(ClientResource)],
    [`/clients/${world.clientIds[0]!}`, ClientResource],
    [`/clients/${world.clientIds[0]!}/rounds`, pageOf(ClientRoundResource)],
    ['/models', pageOf(ModelResource)],
    [`/models/compare?a=${a!}&b=${b!}`, ModelComparison],
    ['/quarantine', pageOf(QuarantinedResource)],
    ['/tokens', pageOf(TokenResource)],
    ['/audit', pageOf(AuditResource)],
    ['/nowhere', Problem],
  ] as [string, z.ZodType][])('should answer %s as the schemas of the API say', (path, schema) => {
    schema.parse(get(path))
  })

  it('should tell news as the schemas of the feed say', () => {
    FederationView.parse(live.federation())
    for (const lane of live.lanes()) ClientLane.parse(lane)
    for (const event of live.events()) LiveEvent.parse(event)
    const { lanes } = live.tick()
    for (const lane of lanes) ClientLane.parse(lane)
  })

  it('should show a new secret as the schemas say', () => {
    const url = new URL('http://console/api/v1/tokens')
    NewToken.parse(answer('POST', url, { kind: 'join', label: 'trial' }).body)
  })

  it('should go through a list by its cursors', () => {
    const first = get('/clients?limit=5') as { items: unknown[]; next: string }
    const second = get(`/clients?limit=5&cursor=${first.next}`) as typeof first
    expect([first.items.length, second.items.length, second.next]).toEqual([5, 3, null])
  })
})

// Helpers

function get(path: string): unknown {
  // Through JSON, as over the wire.
  return JSON.parse(
    JSON.stringify(answer('GET', new URL(`http://console/api/v1${path}`), undefined).body),
  )
}
