import type { Evidence, JournalRow } from './evidence.ts'
import type { Replay } from './replay-rounds.ts'

/** What is wrong, one line each; none when the invariant holds. */
type Invariant = (evidence: Evidence, replay: Replay) => readonly string[]

/** Clocks of processes are read to the millisecond. */
const CLOCK_MS = 1

/** What must be true of a federation that has ended, whatever was killed. */
export const INVARIANTS = {
  'one run, and it is finished': ({ runs }) => [
    ...(runs.length === 1 ? [] : [`there are ${runs.length} runs`]),
    ...runs.flatMap(({ id, status }) => (status === 'finished' ? [] : [`run ${id} is ${status}`])),
  ],

  'the journal replays to a legal state': ({ runs }, { rounds, problems }) => [
    ...problems,
    ...rounds.flatMap(({ round, state }) =>
      state.phase === 'published' ? [] : [`round ${round} ends ${state.phase}`],
    ),
    ...(rounds.length === runs[0]?.rounds ? [] : [`there are ${rounds.length} rounds`]),
  ],

  'an acknowledged update is in exactly one fusion, or in quarantine with a reason': (
    evidence,
    { rounds },
  ) =>
    recordsOf(evidence, 'acknowledged').flatMap(({ round, client, sha256 }) => {
      const fusions = rounds.filter(({ fused }) => blobsIn(fused).includes(`${client} ${sha256}`))
      const events = updatesIn(evidence).filter(
        (update) => update.client === client && update.blob === sha256,
      )
      const isRight = fusions.length === 1 && fusions[0]?.round === round && events.length === 1
      if (isRight || (fusions.length === 0 && isQuarantined(evidence, sha256))) return []
      const where = fusions.map((fusion) => fusion.round).join(', ') || 'none'
      return [
        `${nameOf({ round, client, sha256 })} was acknowledged, is in ${events.length} events, and in the fusion of round ${where}`,
      ]
    }),

  'an update is acknowledged when it is journalled, not before': (evidence) =>
    recordsOf(evidence, 'acknowledged').flatMap((record) => {
      const row = evidence.journal.find((entry) => isUpdate(entry, record))
      if (row?.writtenAt == null || record.at + CLOCK_MS >= row.writtenAt) return []
      const early = (row.writtenAt - record.at).toFixed(1)
      return [`${nameOf(record)} was acknowledged ${early} ms before it was written`]
    }),

  'a client is acknowledged once a round': (evidence) =>
    repeated(
      recordsOf(evidence, 'acknowledged').map(({ round, client }) => `${client}, round ${round}`),
    ).map((which) => `${which} was acknowledged twice: the first time was forgotten`),

  'an honest update is taken': (evidence, { rounds }) => {
    const honest = new Set(sentShas(evidence, true))
    return evidence.records.flatMap((record) => {
      if (record.type !== 'refused' || !honest.has(record.sha256)) return []
      // The client's own word for a connection that ended.
      if (record.code === 'GRAFT_SERVER_UNREACHABLE') return []
      const isFused = rounds.some(({ fused }) =>
        blobsIn(fused).includes(`${record.client} ${record.sha256}`),
      )
      // Behind a restart the coordinator may say so of an update that it has: PROTOCOL.md, Membership.
      if (record.code === 'GRAFT_ROUND_STALE' && isFused) return []
      return [`${nameOf(record)} was refused: ${record.problem} (${record.code})`]
    })
  },

  'links that only break and slow down spoil no upload': (evidence) =>
    recordsOf(evidence, 'sent again').flatMap((record) =>
      record.code === 'GRAFT_UPLOAD_CORRUPT'
        ? [`${nameOf(record)} was sent again: ${record.problem}`]
        : [],
    ),

  'what is fused was sent by its client': (evidence) => {
    const sent = new Set(
      recordsOf(evidence, 'sent').flatMap(({ isHonest, round, client, sha256 }) =>
        isHonest ? [`${round} ${client} ${sha256}`] : [],
      ),
    )
    return updatesIn(evidence).flatMap(({ round, client, blob }) =>
      sent.has(`${round} ${client} ${blob}`)
        ? []
        : [
            `${nameOf({ round, client, sha256: blob })} is journalled, and its client never sent it`,
          ],
    )
  },

  'at most one model is published a round': ({ journal, models }, { rounds }) => [
    ...repeated(
      journal.flatMap(({ event }) =>
        typeOf(event) === 'model-evaluated' ? [`round ${roundOf(event)}`] : [],
      ),
    ).map((which) => `${which} was published twice`),
    ...rounds.flatMap(({ round, publication, fused }) => {
      const rows = models.filter((model) => model.round === round)
      if (publication === null) {
        return rows.length === 0 ? [] : [`round ${round} has a model and published none`]
      }
      const [row] = rows
      if (rows.length !== 1 || row === undefined)
        return [`round ${round} has ${rows.length} models`]
      const parents = Object.keys(fused ?? {}).sort()
      return [
        ...(row.blob === publication.blob ? [] : [`round ${round} stored another model`]),
        ...(same([...row.parents].sort(), parents)
          ? []
          : [`the report of round ${round} names ${row.parents.join(', ')}`]),
      ]
    }),
  ],

  'a ledger names the clients whose updates were fused': ({ ledgers }, { rounds }) =>
    rounds.flatMap(({ round, events, fused }) =>
      events.flatMap((event) => {
        if (event.type !== 'model-fused' || event.fused.ledger === undefined) return []
        const parents = [...(ledgers.get(event.fused.ledger) ?? [])].sort()
        const updates = Object.keys(fused ?? {}).sort()
        return same(parents, updates)
          ? []
          : [`the ledger of round ${round} has ${parents.join(', ')}`]
      }),
    ),

  'a blob that the journal names is there': ({ blobs, journal, models, audit }) => {
    const named = [
      ...journal.flatMap(({ run, event, seq }) =>
        (isReleased(audit, run, event) ? [] : blobsNamedIn(event)).map((id) => ({
          id,
          by: `event ${seq} (${typeOf(event)})`,
        })),
      ),
      ...models.map(({ blob, round }) => ({ id: blob, by: `the model of round ${round}` })),
    ]
    return named.flatMap(({ id, by }) =>
      blobs.has(id) ? [] : [`${by} names ${short(id)}, which is not there`],
    )
  },

  'a blob has the hash that is its name': ({ blobs }) =>
    [...blobs].flatMap(([name, hash]) =>
      name === hash ? [] : [`blob ${short(name)} has the hash ${short(hash)}`],
    ),

  'the models folder has what was published': ({ modelFiles }, { rounds }) =>
    rounds.flatMap(({ round, publication }) =>
      publication === null || modelFiles.get(round) === publication.blob
        ? []
        : [`the file of round ${round} is ${modelFiles.has(round) ? 'another model' : 'missing'}`],
    ),

  'a spoilt update is refused and in quarantine with a reason': (evidence) => {
    const spoilt = sentShas(evidence, false)
    const refused = recordsOf(evidence, 'refused').filter(({ code }) => code === 'GRAFT_NOT_FINITE')
    return [
      ...recordsOf(evidence, 'acknowledged')
        .filter(({ sha256 }) => spoilt.includes(sha256))
        .map((record) => `${nameOf(record)} is spoilt and was acknowledged`),
      ...refused
        .filter(({ sha256 }) => !isQuarantined(evidence, sha256))
        .map((record) => `${nameOf(record)} was refused and is not in quarantine`),
      ...evidence.quarantine
        .filter((file) => !reasonsIn(evidence).has(file))
        .map((file) => `${file} is in quarantine, and the audit log has no reason`),
    ]
  },
} as const satisfies Record<string, Invariant>

interface Named {
  readonly round: number
  readonly client: string
  readonly sha256: string
}

const nameOf = ({ round, client, sha256 }: Named): string =>
  `update ${short(sha256)} of ${client} in round ${round}`

const short = (id: string): string => id.slice(0, 12)

type Records = Evidence['records'][number]

function recordsOf<Type extends Records['type']>({ records }: Evidence, type: Type) {
  return records.filter(
    (record): record is Extract<Records, { type: Type }> => record.type === type,
  )
}

function sentShas(evidence: Evidence, isHonest: boolean): string[] {
  return recordsOf(evidence, 'sent').flatMap((record) =>
    record.isHonest === isHonest ? [record.sha256] : [],
  )
}

/** `client sha256` of each update. */
function blobsIn(fused: Replay['rounds'][number]['fused']): string[] {
  return Object.entries(fused ?? {}).map(([client, { blob }]) => `${client} ${blob}`)
}

/** What every `update-received` says, read without trust. */
function updatesIn({ journal }: Evidence) {
  return journal.flatMap(({ event }) => {
    const received = event as {
      type: string
      round: number
      client: string
      update: { blob: string }
    }
    if (received.type !== 'update-received') return []
    return [{ round: received.round, client: received.client, blob: received.update.blob }]
  })
}

function isUpdate({ event }: JournalRow, { round, client, sha256 }: Named): boolean {
  const received = event as {
    type: string
    round: number
    client: string
    update: { blob: string }
  }
  return (
    received.type === 'update-received' &&
    received.round === round &&
    received.client === client &&
    received.update.blob === sha256
  )
}

const typeOf = (event: unknown): string => (event as { type: string }).type
const roundOf = (event: unknown): number => (event as { round: number }).round

/** Whether an event is an update of a round whose updates the coordinator noted that it lets go of. */
function isReleased(audit: Evidence['audit'], run: string, event: unknown): boolean {
  const { type, round } = event as { type?: string; round?: number }
  if (type !== 'update-received' || round === undefined) return false
  return audit.some(({ actor, action, details }) => {
    if (actor !== 'coordinator' || action !== 'updates:released') return false
    const released = details as { run: string; upTo: number }
    return released.run === run && round <= released.upTo
  })
}

/** Every blob id in an event, wherever it stands. */
function blobsNamedIn(event: unknown): string[] {
  return JSON.stringify(event).match(/\b[0-9a-f]{64}\b/g) ?? []
}

function isQuarantined(evidence: Evidence, sha256: string): boolean {
  const reasons = reasonsIn(evidence)
  return evidence.quarantine.some((file) => file.includes(sha256) && reasons.has(file))
}

/** Files that the audit log gives a reason for. */
function reasonsIn({ audit }: Evidence): Set<string> {
  return new Set(
    audit.flatMap(({ action, details }) => {
      const { file, code } = details as { file?: string; code?: string }
      return action === 'update:quarantined' && file !== undefined && code ? [file] : []
    }),
  )
}

/** What occurs more than once. */
function repeated(items: readonly string[]): string[] {
  return [...new Set(items.filter((item, index) => items.indexOf(item) !== index))]
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index])
}
