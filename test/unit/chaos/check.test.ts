import { describe, expect, it } from 'vitest'
import { check } from '../../chaos/checker/check.ts'
import type { Evidence } from '../../chaos/checker/evidence.ts'
import type { INVARIANTS } from '../../chaos/checker/invariants.ts'

type Invariant = keyof typeof INVARIANTS

describe('check', () => {
  it('should find nothing wrong with a sound federation', () => {
    const { violations, cohorts, finalModel } = check(sound(), null)
    expect(violations).toEqual([])
    expect(cohorts).toEqual(['client-0 client-1'])
    expect(finalModel).toBe(id('model'))
  })

  for (const [invariant, breaks] of Object.entries(breakages())) {
    for (const [how, spoil] of Object.entries(breaks)) {
      it(`should see that "${invariant}" does not hold: ${how}`, () => {
        const evidence = sound()
        spoil(evidence)
        const found = check(evidence, null).violations.map((violation) => violation.invariant)
        expect(found).toContain(invariant)
      })
    }
  }

  it('should compare final models of equal cohorts, and of no others', () => {
    const calm = { cohorts: ['client-0 client-1'], finalModel: id('model') }
    const another = { ...calm, finalModel: id('another') }
    expect(check(sound(), calm).violations).toEqual([])
    expect(check(sound(), another).violations).toMatchObject([
      { invariant: 'the same cohorts give the same final model' },
    ])
    expect(check(sound(), { ...another, cohorts: ['client-0 client-2'] }).violations).toEqual([])
  })

  it('should allow that updates are gone which the coordinator noted that it lets go of', () => {
    const evidence = sound()
    evidence.audit.push(letGo(evidence.runs[0]!.id, 1))
    evidence.blobs.delete(id('client-0'))
    expect(check(evidence, null).violations).toEqual([])
  })

  it('should allow that a coordinator that fuses after a restart calls an update stale', () => {
    const evidence = sound()
    evidence.records.push(refusal('client-0', 'GRAFT_ROUND_STALE'))
    expect(check(evidence, null).violations).toEqual([])
  })
})

// Helpers

const letGo = (run: string, upTo: number) => ({
  ...{ actor: 'coordinator', action: 'updates:released', details: { run, upTo } },
})

/** For each invariant what breaks it. */
function breakages(): Record<Invariant, Record<string, (evidence: Spoilable) => void>> {
  return {
    'one run, and it is finished': {
      'a second run': ({ runs }) => runs.push({ ...runs[0]!, id: 'another' }),
      'an unfinished one': ({ runs }) => (runs[0] = { ...runs[0]!, status: 'running' }),
    },
    'the journal replays to a legal state': {
      'an event is missing': ({ journal }) => journal.splice(0, 1),
      'an event that changed nothing': (evidence) => {
        insert(evidence, 2, { type: 'client-ready', round: 1, client: 'client-1' })
      },
      'an update from outside of the cohort': (evidence) => {
        insert(evidence, 2, updateOf('client-7'))
      },
      'an event that is none': (evidence) => insert(evidence, 2, { type: 'dance', round: 1 }),
      'a round that came to no end': ({ journal }) => journal.pop(),
    },
    'an acknowledged update is in exactly one fusion, or in quarantine with a reason': {
      'it is in no journal': ({ records }) => {
        records.push({ type: 'acknowledged', ...facts('client-0'), sha256: id('lost') })
      },
      'it is journalled twice': (evidence) => insert(evidence, 3, updateOf('client-0')),
      'it is fused in another round': ({ records }) => {
        records.push({ type: 'acknowledged', ...facts('client-0'), round: 2 })
      },
    },
    'an update is acknowledged when it is journalled, not before': {
      '3 ms before': ({ journal }) => {
        journal[2] = { ...journal[2]!, writtenAt: ACKNOWLEDGED + 3 }
      },
    },
    'a client is acknowledged once a round': {
      'and again after a restart': ({ records }) => {
        records.push({ type: 'acknowledged', ...facts('client-0') })
      },
    },
    'an honest update is taken': {
      'called corrupt': ({ records }) => records.push(refusal('client-0', 'GRAFT_UPLOAD_CORRUPT')),
      'called stale, and not fused': ({ records }) => {
        const lost = { sha256: id('lost') }
        records.push({ type: 'sent', isHonest: true, ...facts('client-0'), ...lost })
        records.push({ ...refusal('client-0', 'GRAFT_ROUND_STALE'), ...lost })
      },
    },
    'links that only break and slow down spoil no upload': {
      'sent again from the start': ({ records }) =>
        records.push({ ...refusal('client-0', 'GRAFT_UPLOAD_CORRUPT'), type: 'sent again' }),
    },
    'what is fused was sent by its client': {
      'another client sent it': ({ records }) => {
        records.splice(0, records.length, ...records.filter(({ client }) => client !== 'client-0'))
      },
      'it was sent as a spoilt one': ({ records }) => {
        const index = records.findIndex(({ type }) => type === 'sent')
        records[index] = { type: 'sent', isHonest: false, ...facts('client-0') }
      },
    },
    'at most one model is published a round': {
      'two decisions': (evidence) => insert(evidence, 7, evidence.journal.at(-1)!.event),
      'no model': ({ models }) => models.pop(),
      'two models': ({ models }) => models.push(models[0]!),
      'another model': ({ models }) => (models[0] = { ...models[0]!, blob: id('fused') }),
      'a report on others': ({ models }) => {
        models[0] = { ...models[0]!, parents: ['client-0'] }
      },
      'a model of a round that published none': ({ journal }) => journal.pop(),
    },
    'a ledger names the clients whose updates were fused': {
      'one is missing': ({ ledgers }) => ledgers.set(id('ledger'), ['client-1']),
    },
    'a blob that the journal names is there': {
      'an update is gone': ({ blobs }) => blobs.delete(id('client-0')),
      'a model is gone': ({ blobs }) => blobs.delete(id('model')),
      'an update is gone of a round that was not let go of': ({ runs, audit, blobs }) => {
        audit.push(letGo(runs[0]!.id, 0))
        blobs.delete(id('client-0'))
      },
      'a model is gone of a round whose updates were let go of': ({ runs, audit, blobs }) => {
        audit.push(letGo(runs[0]!.id, 1))
        blobs.delete(id('fused'))
      },
    },
    'a blob has the hash that is its name': {
      'half of it': ({ blobs }) => blobs.set(id('fused'), id('half')),
    },
    'the models folder has what was published': {
      'no file': ({ modelFiles }) => modelFiles.clear(),
      'another model': ({ modelFiles }) => modelFiles.set(1, id('fused')),
    },
    'a spoilt update is refused and in quarantine with a reason': {
      'a file that nobody can explain': ({ audit }) => audit.pop(),
      'a refusal without a file': ({ quarantine }) => quarantine.pop(),
      'it was acknowledged': ({ records }) => {
        records.push({ type: 'acknowledged', ...facts('client-1'), sha256: id('spoilt') })
      },
    },
  }
}

type Spoilable = {
  -readonly [Key in keyof Evidence]: Evidence[Key] extends readonly (infer Item)[]
    ? Item[]
    : Evidence[Key] extends ReadonlyMap<infer Name, infer Value>
      ? Map<Name, Value>
      : never
}

const ACKNOWLEDGED = 1000

/** Two clients, one round; the second one sends a spoilt update before its honest one. */
function sound(): Spoilable {
  const events = [
    { type: 'client-ready', round: 1, client: 'client-0' },
    { type: 'client-ready', round: 1, client: 'client-1' },
    updateOf('client-0'),
    updateOf('client-1'),
    {
      type: 'model-fused',
      round: 1,
      fused: { blob: id('fused'), ledger: id('ledger'), seconds: 1 },
    },
    {
      type: 'model-tuned',
      round: 1,
      tuned: { blob: id('model'), seconds: 1, isTuned: true, epochs: 2 },
    },
    { type: 'model-evaluated', round: 1, publication: { blob: id('model'), isNew: true } },
  ]
  const file = `client-1.1.${id('spoilt')}.safetensors`
  const blobs = ['client-0', 'client-1', 'fused', 'ledger', 'model'].map(id)
  const spoilt = { ...facts('client-1'), sha256: id('spoilt') }
  return {
    runs: [{ id: RUN, status: 'finished', clients: 2, quorum: 2, rounds: 1 }],
    journal: events.map((event, index) => rowOf(event, index + 1)),
    models: [{ run: RUN, round: 1, blob: id('model'), parents: ['client-0', 'client-1'] }],
    audit: [
      {
        actor: 'client:client-1',
        action: 'update:quarantined',
        details: { round: 1, file, code: 'GRAFT_NOT_FINITE', problem: 'A weight is NaN.' },
      },
    ],
    blobs: new Map(blobs.map((blob) => [blob, blob])),
    ledgers: new Map([[id('ledger'), ['client-0', 'client-1']]]),
    quarantine: [file],
    modelFiles: new Map([[1, id('model')]]),
    records: [
      { type: 'sent', isHonest: true, ...facts('client-0') },
      { type: 'acknowledged', ...facts('client-0') },
      { type: 'sent', isHonest: false, ...spoilt },
      { type: 'refused', code: 'GRAFT_NOT_FINITE', problem: 'A weight is NaN.', ...spoilt },
      { type: 'sent', isHonest: true, ...facts('client-1') },
      { type: 'acknowledged', ...facts('client-1') },
    ],
  }
}

const RUN = '0b0f5a3c-9d0b-4a6e-8f0e-2d1f5a3c9d0b'

/** A blob's id for a word. */
function id(word: string): string {
  return Buffer.from(word).toString('hex').padEnd(64, '0')
}

function facts(client: string) {
  return { run: RUN, round: 1, client, sha256: id(client), at: ACKNOWLEDGED }
}

function refusal(client: string, code: string) {
  return { type: 'refused', code, problem: 'It is so.', ...facts(client) } as const
}

function updateOf(client: string) {
  const update = {
    blob: id(client),
    numExamples: 10,
    classCounts: [5, 5],
    seconds: { train: 1, attribute: 1, upload: 1 },
    sizeBytes: 100,
  }
  return { type: 'update-received', round: 1, client, update }
}

function rowOf(event: unknown, seq: number): Evidence['journal'][number] {
  return { run: RUN, seq, event, at: new Date(0), writtenAt: ACKNOWLEDGED - 1 }
}

/** Puts an event in; those behind it get the next numbers. */
function insert(evidence: Spoilable, index: number, event: unknown): void {
  evidence.journal.splice(index, 0, rowOf(event, 0))
  evidence.journal = evidence.journal.map((row, at) => ({ ...row, seq: at + 1 }))
}
