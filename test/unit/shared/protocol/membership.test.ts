import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const ROOT = new URL('../../../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8')

const FEDERATION = 'integration/federation'
const REFUSALS = 'integration/federation-refusals'
const STOPS = 'integration/federation-stops'
const OPERATIONS = 'integration/operations'
const DESK = 'unit/server/coordinator/client-desk'
const GATEWAY = 'integration/gateway'
const TRANSFER = 'integration/client-transfer'
const NODE = 'integration/client-node'
const ROUND = 'unit/server/coordinator/round-state'
const UPLOADS = 'unit/server/gateway/uploads'
const ENCODINGS = 'integration/encodings'
const FIREWALL = 'integration/firewall'
const TLS = 'integration/tls'
const LIMITS = 'integration/gateway-limits'
const FOLLOW = 'unit/client/node/follow-run'

/** Which test holds each row of the membership table, by the row's first cell: file under test/, title. */
const TESTS: Record<string, readonly (readonly [file: string, title: string])[]> = {
  'its data do not fit the run': [
    ['e2e/own-data', 'should train two clients with folders of images, one of which lacks a class'],
    [
      'unit/shared/data/own/own-data',
      'should refuse data that do not fit the run, saying how to read images so',
    ],
  ],
  'joins while clients are recruited': [
    [ROUND, 'should list the cohort in id order, whoever came first'],
  ],
  'joins after the cohort was invited': [
    [REFUSALS, 'should refuse before any byte who is not in the cohort and what is too large'],
  ],
  'leaves before the cohort was invited': [
    [ROUND, 'should not invite a client that left while recruiting'],
  ],
  'leaves after it was invited': [
    [ROUND, 'should keep the update of a client that leaves after it'],
  ],
  'comes back before its update was accepted': [
    [
      FEDERATION,
      'should publish the same model when a client is killed in the middle and comes back',
    ],
    [NODE, 'should not start again when an invitation is repeated after a reconnect'],
  ],
  'the coordinator is told to end (SIGTERM, Ctrl-C)': [
    [
      'e2e/shutdown',
      'should end well in the middle of a round, which goes on when it is started again',
    ],
    ['e2e/shutdown', 'should hand over to a standby at once'],
  ],
  'its upload was cut': [
    [TRANSFER, 'should resume a cut upload from the acknowledged byte'],
    [TRANSFER, 'should resume in a gateway that was started again'],
  ],
  'two connections under one name': [
    [GATEWAY, 'should let the newer of two connections of one client win and tell the older one'],
  ],
  'a name that joined with another token': [
    [REFUSALS, 'should refuse a name that joined with another token'],
  ],
  'its certificate is missing, not valid, or for another name (`--tls-client-ca`)': [
    [TLS, 'should refuse $what, and tell the operator'],
    [TLS, 'should refuse a client’s certificate that has expired'],
  ],
  'connects more often than it may': [
    [
      LIMITS,
      'should let in everybody of a crowd, the later ones when they were told to come again',
    ],
  ],
  'tries wrong tokens': [
    [LIMITS, 'should be answered the later, the more of them there were'],
    [LIMITS, 'should hold up nobody with a right one'],
  ],
  'sends more messages, or begins more updates, than it may': [
    [LIMITS, 'should answer no more messages a second than it may, and none out of turn'],
    [LIMITS, 'should slow down a client that begins update after update'],
  ],
  'its token is revoked, or expires': [
    [FEDERATION, 'should dismiss a client whose token was revoked before the next round begins'],
    [OPERATIONS, 'should end the connections of a token that is revoked, at once'],
    [GATEWAY, 'should end a connection for the reason the coordinator gives'],
  ],
  'is banned by an operator': [
    [OPERATIONS, 'should ban a client, leave its update out, refuse it, and release it'],
    [ROUND, 'should leave out the update of a client that is banned while it collects'],
    [ROUND, 'should fail when a ban leaves fewer clients than the quorum'],
  ],
  'an operator ends the wait for clients': [
    [OPERATIONS, 'should end a round as its deadline would'],
  ],
  'an operator stops the run': [
    [OPERATIONS, 'should stop a run in the middle of a round, and tell its clients'],
  ],
  'an operator releases its update, which was set aside': [
    [
      OPERATIONS,
      'should release an upload that was announced wrongly, and never one that is not finite',
    ],
  ],
  'connects while no run goes on': [
    [DESK, 'should let clients in while no run goes on, and answer their join when one begins'],
    [DESK, 'should refuse a join that has waited too long, with a code that means to ask again'],
  ],
  'stays when its run is finished (`graft client --stay`)': [
    ['integration/stay', 'should take one run after the other, and its clients with it'],
    [FOLLOW, 'should leave out a run that it cannot take part in, and stay for the next one'],
  ],
  'hears `run:finished` of a run that is not its own': [
    [FOLLOW, 'should drop its work when it comes back to another run'],
  ],
  'uploads though not in the cohort': [
    [REFUSALS, 'should refuse before any byte who is not in the cohort and what is too large'],
  ],
  'uploads for another round, or late': [
    [
      FEDERATION,
      'should fuse the quorum at the deadline, refuse the late update, and invite its client again',
    ],
    [
      'unit/server/coordinator/client-handlers',
      'should pass on the refusal when the deadline passed during the commit',
    ],
  ],
  "uploads when as many as the goal have (`goal` in the run's settings, fewer than the cohort)": [
    [
      'unit/server/coordinator/round-state',
      'should fuse as soon as there are enough updates, and refuse those that come later',
    ],
  ],
  'commits twice (the answer was lost)': [
    [UPLOADS, 'should answer a second commit of an update whose first answer was lost'],
    [TRANSFER, 'should deliver once when the acknowledgement of the commit is lost'],
  ],
  'sends another update for the same round': [
    [REFUSALS, 'should keep the first of two updates of a client for one round'],
  ],
  'begins another upload before the first is committed': [
    [UPLOADS, 'should keep one upload per client: another one replaces it'],
  ],
  'sends bytes behind a gap, or again': [
    [UPLOADS, 'should write chunks in the order sent, without waiting between them'],
  ],
  'sends more than it announced': [
    [UPLOADS, 'should refuse more bytes than announced and drop the upload'],
  ],
  'commits before all bytes are there': [
    [UPLOADS, 'should refuse a commit before all bytes are here, and keep them'],
  ],
  'the bytes have another hash': [
    [UPLOADS, 'should refuse bytes with another hash, remove them and start from 0 again'],
  ],
  'the update is not one of this run': [
    [REFUSALS, 'should quarantine an update that is none, say why in the audit log, and go on'],
  ],
  "its update is encoded otherwise than the run's settings say, or differs from another model than its round's":
    [
      [ENCODINGS, 'should set aside what is encoded otherwise, or differs from another model'],
      [ENCODINGS, 'should offer after a restart the same start, and take differences to it'],
    ],
  'says other classes of examples than at `client:ready`': [
    [FIREWALL, 'should be those that the client was let in with'],
  ],
  "its update is far larger than the others' (`outliers` in the run's settings)": [
    [
      FIREWALL,
      'should leave out and set aside an update that is far larger than the others, when told to',
    ],
    [FIREWALL, 'should name it and fuse it all the same by default'],
  ],
  "the coordinator's disk is full": [
    [
      UPLOADS,
      'should say that the disk is full, without the path, and remove the part (needs /dev/full)',
    ],
  ],
  'is invited to a new round while at an old one': [
    [FOLLOW, 'should stop the old round before it starts a new one'],
  ],
  'hears that its round is over while at it': [[TRANSFER, 'should stop when its round is over']],
  'sends what is no message': [
    [GATEWAY, 'should answer a malformed message with a code, the field and a remedy'],
    [GATEWAY, 'should end a connection whose message asks for no answer where one is due'],
  ],
  'hears nothing from the coordinator': [
    [TRANSFER, 'should give up on a coordinator that does not answer'],
  ],
  'the coordinator was started again, or its standby took over': [
    [STOPS, 'should keep an accepted update through a stop, and invite only who is missing'],
    ['e2e/failover', 'should take over in the middle of a round when the leader is killed'],
    [FOLLOW, 'should drop its work when it comes back to another run'],
  ],
}

describe('the membership table of PROTOCOL.md', () => {
  it('should have a test for each row', () => {
    const rows = casesOf(read('shared/protocol/PROTOCOL.md'))
    expect(rows.sort()).toEqual(Object.keys(TESTS).sort())
  })

  it.each(Object.values(TESTS).flat())('should find in %s: %s', (file, title) => {
    const path = `test/${file}.test.ts`
    expect(existsSync(new URL(path, ROOT)), path).toBe(true)
    expect(read(path)).toContain(`'${title}'`)
  })
})

// Helpers

/** First cells of the table, without its head. */
function casesOf(text: string): string[] {
  const [, section = ''] = text.split('## Membership\n')
  return section
    .split('\n## ', 1)[0]!
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) => line.split('|')[1]!.trim())
}
