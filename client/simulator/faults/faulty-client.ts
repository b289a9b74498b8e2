import { setTimeout as delay } from 'node:timers/promises'
import { assertNever } from '../../../shared/assert-never.ts'
import type { ClientId, RoundNumber } from '../../../shared/ids.ts'
import type { Fault, FaultPlan } from '../../../shared/protocol/fault-plan.ts'
import type { FaultEvent } from '../../../shared/protocol/simulation-report.ts'
import type { Participant } from '../../node/round.ts'
import type { OutgoingUpdate, TransferOptions } from '../../node/transfer.ts'
import { corruptUpdate } from './corrupt-update.ts'
import { drawFaults, type FaultOf, find } from './draw-faults.ts'
import type { Relay } from './relay.ts'
import { scaleUpdate } from './scale-update.ts'

/** Why a client ended its connection: the plan said so. */
export class Left extends Error {
  override readonly name = 'Left'
  readonly round: RoundNumber
  readonly back: FaultOf<'leave'>['back']

  constructor(round: RoundNumber, back: FaultOf<'leave'>['back']) {
    super(`left in round ${round}`)
    this.round = round
    this.back = back
  }
}

/** What strikes one client, over all its connections. */
export interface Misfortune {
  /** Lets a participant suffer what the plan has for it; a healthy one stays as it is. */
  readonly strike: (participant: Participant, leave: (reason: Left) => void) => Participant
  /** The last round in which the plan has sent an update that ends its client with a refusal; null when none. */
  fatalRound(): RoundNumber | null
}

export interface MisfortuneOptions {
  readonly plan: FaultPlan
  readonly relay: Relay
  readonly tell: (event: FaultEvent) => void
}

/**
 * Faults act where a real client has them: its work takes longer, its bytes are others, its wire breaks.
 * Each strikes once a round, also when the client comes back to the same round.
 */
export function createMisfortune({ plan, relay, tell }: MisfortuneOptions): Misfortune {
  const done = new Set<string>()
  let fatal: RoundNumber | null = null

  function strike(participant: Participant, leave: (reason: Left) => void): Participant {
    const { joined, work, wire } = participant
    const client = joined.clientId
    const faultsOf = (round: RoundNumber) =>
      drawFaults(plan, { client, round, seed: joined.settings.seed })
    const note = noteOf(client, tell)

    /** True the first time in this round. */
    const isNew = (round: RoundNumber, what: string) => {
      const key = `${round}/${what}`
      if (done.has(key)) return false
      done.add(key)
      return true
    }

    async function makeUpdate(...given: Parameters<typeof work.makeUpdate>) {
      const [task, { signal }] = given
      const { invitation, globalModel } = task
      const { round } = invitation
      const faults = faultsOf(round)
      const [late, slow, cut] = [find(faults, 'delay'), find(faults, 'slow'), find(faults, 'cut')]
      if (late !== undefined && isNew(round, 'delay')) {
        note(round, late, `waits ${late.seconds} s before it trains`)
        await delay(late.seconds * 1000, undefined, { signal })
      }
      if (cut?.at === 'training' && isNew(round, 'cut')) {
        note(round, cut, `no network for ${cut.seconds ?? 0} s from before its first step`)
        relay.cut(cut.seconds ?? 0)
      }
      const trained = await work.makeUpdate(...given)
      const corrupt = find(faults, 'corrupt')
      const made =
        corrupt?.how === 'scale'
          ? {
              ...trained,
              bytes: scaleUpdate(
                trained.bytes,
                globalModel,
                factorOf(corrupt),
                joined.settings.encoding,
              ),
            }
          : trained
      if (slow === undefined || !isNew(round, 'slow')) return made
      const train = made.seconds.train * slow.factor
      note(round, slow, `trains ${slow.factor} times as long`)
      await delay((train - made.seconds.train) * 1000, undefined, { signal })
      return { ...made, seconds: { ...made.seconds, train } }
    }

    async function push(update: OutgoingUpdate, options: TransferOptions): Promise<void> {
      const { round } = update
      const faults = faultsOf(round)
      const leaving = find(faults, 'leave')
      const corrupt = find(faults, 'corrupt')
      const leaves = leaving !== undefined && isNew(round, 'leave')
      if (leaves && leaving.when === 'before-upload') depart(round, leaving)
      if (corrupt !== undefined) {
        note(round, corrupt, describeCorrupt(corrupt))
        if (corrupt.how === 'shape') fatal = round
      }
      // A scaled one was scaled when it was made, where the global model is known.
      const bytes =
        corrupt === undefined || corrupt.how === 'scale'
          ? update.bytes
          : corruptUpdate(update.bytes, corrupt.how)
      armRelay(round, faults, bytes.length)
      try {
        await wire.push({ ...update, bytes }, options)
      } finally {
        relay.disarm()
      }
      if (leaves) depart(round, leaving)
    }

    function depart(round: RoundNumber, fault: FaultOf<'leave'>): never {
      const when = fault.when === 'before-upload' ? 'before its upload' : 'after its upload'
      const detail = `leaves ${when}, ${COMES_BACK[fault.back]}`
      note(round, fault, detail, fault.back === 'never')
      const reason = new Left(round, fault.back)
      leave(reason)
      throw reason
    }

    function armRelay(round: RoundNumber, faults: readonly Fault[], sizeBytes: number): void {
      const cut = find(faults, 'cut')
      if (cut?.at === 'upload' && isNew(round, 'cut')) {
        const { byte = 0, seconds = 0 } = cut
        const detail = `network cut at byte ${byte} of the upload, for ${seconds} s`
        const onDone = () => note(round, cut, detail)
        relay.after(byte, { type: 'cut', seconds, onDone })
      }
      const flip = find(faults, 'flip')
      if (flip === undefined || !isNew(round, 'flip')) return
      const { byte = 4096, times = 1 } = flip
      for (let attempt = 0; attempt < times; attempt++) {
        const onDone = () => note(round, flip, `bit flipped at byte ${byte} of the upload`)
        // The whole update is sent again after each.
        relay.after(attempt * sizeBytes + byte, { type: 'flip', onDone })
      }
    }

    return { ...participant, work: { ...work, makeUpdate }, wire: { ...wire, push } }
  }

  return { strike, fatalRound: () => fatal }
}

function describeCorrupt(fault: FaultOf<'corrupt'>): string {
  switch (fault.how) {
    case 'nan':
      return 'sends a weight that is not a number'
    case 'shape':
      return 'sends a tensor of another shape'
    case 'scale':
      return `sends ${factorOf(fault)} times what it has changed`
    default:
      return assertNever(fault.how)
  }
}

const factorOf = ({ factor = 50 }: FaultOf<'corrupt'>): number => factor

const COMES_BACK = {
  'same-round': 'and comes back at once',
  'next-round': 'and comes back when the round is over',
  never: 'for good',
} as const satisfies Record<FaultOf<'leave'>['back'], string>

function noteOf(client: ClientId, tell: (event: FaultEvent) => void) {
  return (round: RoundNumber, { fault }: Fault, detail: string, isGone = false) => {
    tell({ client, round, fault, detail, ...(isGone && { isGone }) })
  }
}
