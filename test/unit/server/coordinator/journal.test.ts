import { describe, expect, it } from 'vitest'
import { parseJournal } from '../../../../server/coordinator/journal.ts'
import type { RoundEvent } from '../../../../server/coordinator/round-state.ts'
import { BlobId, ClientId, RoundNumber } from '../../../../shared/ids.ts'
import { DIVERSITY } from '../../../support/run-report.ts'

const round = RoundNumber.parse(3)
const client = ClientId.parse('ada')
const blob = BlobId.parse('ab'.repeat(32))
const at = new Date(0)

/** One of each; a kind that is missing here does not compile. */
const EVENTS: { [Type in RoundEvent['type']]: Extract<RoundEvent, { type: Type }> } = {
  'client-ready': { type: 'client-ready', round, client },
  'client-left': { type: 'client-left', round, client },
  'update-received': {
    type: 'update-received',
    round,
    client,
    update: {
      blob,
      numExamples: 3,
      classCounts: [1, 2],
      seconds: { train: 0.5, attribute: 0, upload: 0.25 },
      sizeBytes: 100,
    },
  },
  'round-ended': { type: 'round-ended', round, by: 'operator:ada' },
  'client-banned': { type: 'client-banned', round, client, by: 'operator:ada' },
  'model-chosen': { type: 'model-chosen', round, model: blob, by: 'operator:ada' },
  'deadline-passed': { type: 'deadline-passed', round },
  'model-fused': {
    type: 'model-fused',
    round,
    fused: { blob, seconds: 1, ledger: blob, reason: 'why', diversity: DIVERSITY, state: blob },
  },
  'model-tuned': {
    type: 'model-tuned',
    round,
    tuned: { blob, seconds: 1, isTuned: false, epochs: 0 },
  },
  'model-evaluated': {
    type: 'model-evaluated',
    round,
    publication: { blob, isNew: true, state: blob },
  },
  'work-failed': { type: 'work-failed', round, code: 'GRAFT_DISK_FULL' },
}

describe('parseJournal', () => {
  it.each(Object.values(EVENTS))('should read back $type from its JSON', (event) => {
    const stored: unknown = JSON.parse(JSON.stringify(event))
    expect(parseJournal([{ seq: 1, event: stored, at }])).toEqual([{ event, at }])
  })

  it('should read a fusion that an older version journalled without a ledger', () => {
    const event = { type: 'model-fused', round, fused: { blob, seconds: 1 } }
    expect(parseJournal([{ seq: 1, event, at }])).toEqual([{ event, at }])
  })

  it('should keep the order', () => {
    const events = Object.values(EVENTS)
    const entries = events.map((event, i) => ({ seq: i + 1, event, at }))
    expect(parseJournal(entries).map(({ event }) => event)).toEqual(events)
  })

  it.each([
    ['no event', null],
    ['an unknown kind', { type: 'client-danced', round }],
    ['a field too many', { ...EVENTS['client-ready'], colour: 'red' }],
    ['a field too few', { type: 'client-ready', round }],
    ['an unknown code', { type: 'work-failed', round, code: 'GRAFT_ELSE' }],
    ['a blob that is none', { type: 'model-fused', round, fused: { blob: 'x', seconds: 1 } }],
  ])('should refuse %s', (_case, event) => {
    expect(() => parseJournal([{ seq: 1, event, at }])).toThrow()
  })
})
