import { ERRORS } from '../../shared/errors.ts'
import type { AttackResult } from './attack.ts'
import type { Tally } from './tally.ts'
import {
  describeHandles,
  hasMoreHandles,
  HEAP_GROWTH_MB,
  LONGEST_BLOCK_MS,
  RSS_GROWTH_MB,
  type Watch,
} from './watch.ts'

export interface Check {
  readonly invariant: string
  readonly isOk: boolean
  /** What was found. */
  readonly detail: string
}

/** Refused files that PROTOCOL.md lets a coordinator keep of each client. */
const QUARANTINED_OF_CLIENT = 16

/** Whether each invariant held. */
export function judgeAttack(result: AttackResult): Check[] {
  const { messages, files, leftBehind, idle, blobs } = result
  const members = result.members.toSorted()
  return [
    {
      invariant: 'the coordinator lived, took a valid update of everyone and ended the run',
      isOk: result.problem === null && result.exit === 0,
      detail: `exit status ${result.exit}. ${result.problem ?? ''}`.trim(),
    },
    {
      invariant: 'it complained of nothing',
      isOk: result.complaints === '' && !ownFailure(result.output),
      detail:
        result.complaints.slice(0, 300) ||
        (ownFailure(result.output) ?? 'no uncaught error, no warning'),
    },
    checkRefusals('message', messages, result.wanted.messages),
    checkRefusals('update', files, result.wanted.files),
    checkJournal(result),
    {
      invariant: 'no stranger was admitted',
      isOk: leftBehind.clients.toSorted().join() === members.join(),
      detail: `${leftBehind.clients.length} clients known, ${members.length} of them ours`,
    },
    {
      invariant: 'nothing malformed was stored as a blob',
      isOk: blobs.before.join() === blobs.after.join(),
      detail: `${blobs.before.length} blobs before, ${blobs.after.length} after`,
    },
    {
      invariant: 'no handle leaked',
      isOk: idle.length === 3 && idle.every((sample) => !hasMoreHandles(sample, idle[0]!)),
      detail: idle.map(describeHandles).join(' -> '),
    },
    {
      invariant: 'the quarantine does not fill the disk',
      isOk: leftBehind.quarantined <= QUARANTINED_OF_CLIENT * members.length,
      detail: `${leftBehind.quarantined} files of ${leftBehind.audit['update:quarantined'] ?? 0} kept`,
    },
    ...result.watches.filter(({ samples }) => samples.length > 0).map(checkMemory),
    checkBlocks(result.watches),
  ]
}

function checkRefusals(what: string, { rows, numViolations }: Tally, wanted: number): Check {
  const sent = [...rows.values()].reduce((sum, row) => sum + row.sent, 0)
  return {
    invariant: `every malformed ${what} was refused`,
    isOk: numViolations === 0 && sent === wanted,
    detail: `${sent} of ${wanted} sent, of ${rows.size} kinds; ${numViolations} not refused as they should be`,
  }
}

/** Every member's ready and valid update, and no other event of a client. */
function checkJournal({ leftBehind, honestUpdates, members }: AttackResult): Check {
  const events = leftBehind.journal
  const ofClients = events.filter((event) => 'client' in event)
  const ready = events.filter(({ type }) => type === 'client-ready')
  const ours = events.filter((event) => {
    return event.type === 'update-received' && honestUpdates.get(event.client) === event.update.blob
  })
  const isPublished = events.some(({ type }) => type === 'model-evaluated')
  const areAllThere = ready.length === members.length && ours.length === members.length
  return {
    invariant: 'the journal has a valid update of everyone, and nothing else of a client',
    isOk: isPublished && areAllThere && ofClients.length === 2 * members.length,
    detail: `${ofClients.length} events of ${members.length} clients, ${ours.length} of them valid updates`,
  }
}

function checkMemory({ stage, samples }: Watch): Check {
  // What a process needs for its work it has after the first tenth.
  const early = samples.find(({ sent }) => sent >= samples.at(-1)!.sent / 10)!
  const last = samples.at(-1)!
  const heap = last.heapMb - early.heapMb
  const rss = last.residentMb - early.residentMb
  return {
    invariant: `memory is flat over the ${stage}`,
    isOk: heap <= HEAP_GROWTH_MB && rss <= RSS_GROWTH_MB,
    detail:
      `heap ${growth(early.heapMb, last.heapMb)} (bound ${HEAP_GROWTH_MB}), ` +
      `resident ${growth(early.residentMb, last.residentMb)} MiB (bound ${RSS_GROWTH_MB})`,
  }
}

const growth = (from: number, to: number): string =>
  `${from.toFixed(1)} -> ${to.toFixed(1)}, ${to < from ? '' : '+'}${(to - from).toFixed(1)}`

function checkBlocks(watches: readonly Watch[]): Check {
  const longest = Math.max(
    0,
    ...watches.flatMap(({ samples }) => samples.map((of) => of.longestBlockMs)),
  )
  return {
    invariant: 'no message blocked the event loop',
    isOk: longest <= LONGEST_BLOCK_MS,
    detail: `longest ${longest.toFixed(0)} ms (bound ${LONGEST_BLOCK_MS})`,
  }
}

/** A line about a failure of the coordinator's own, which no client may cause. */
function ownFailure(output: string): string | undefined {
  const codes = Object.keys(ERRORS).filter(
    (code) => ERRORS[code as keyof typeof ERRORS].status >= 500,
  )
  return output.split('\n').find((line) => codes.some((code) => line.includes(code)))
}
