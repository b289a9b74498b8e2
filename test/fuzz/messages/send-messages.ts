import type { ClientId } from '../../../shared/ids.ts'
import { JOIN_TOKEN } from '../coordinator/words.ts'
import type { RunFacts } from '../run-facts.ts'
import type { Tally } from '../tally.ts'
import { judge } from './judge.ts'
import type { Mutant } from './kind.ts'
import { createMessageStream } from './message-stream.ts'
import { followUp } from './follow-up.ts'
import { openRawConnection, type RawConnection } from './raw-connection.ts'
import { validAuth } from './valid-messages.ts'

/** A stranger that does not shake hands within 45 s is sent away, as it should be. */
const FRESH_MS = 20_000

export interface MessageAttack {
  readonly url: string
  readonly facts: RunFacts
  readonly seed: number
  readonly count: number
  /** Members of the cohort; each sends in its name, and as a stranger, over two connections. */
  readonly names: readonly ClientId[]
  readonly tally: Tally
  /** Called after each message. */
  onSent(): Promise<void> | void
  hasEnded(): boolean
}

/** Sends malformed messages, one at a time on each connection, and judges every answer. */
export async function sendMessages(attack: MessageAttack): Promise<void> {
  const stream = createMessageStream(attack.seed, attack.facts)
  let next = 0
  await Promise.all(
    attack.names.map(async (name) => {
      const lines = createLines(attack.url, name)
      try {
        while (next < attack.count && !attack.hasEnded()) {
          const index = next++
          await sendOne(index, lines)
          await attack.onSent()
        }
      } finally {
        await lines.close()
      }
    }),
  )

  async function sendOne(index: number, lines: Lines): Promise<void> {
    const { kind, mutant } = stream.draw(index)
    const connection = await lines.on(kind.on)
    const begun = performance.now()
    const next = mutant.expects === 'not accepted' ? followUp(kind.on, index) : undefined
    const outcome = await connection.exchange(mutant.frames, next)
    const { outcome: named, problem } = judge(mutant, outcome)
    attack.tally.count(kind, named, performance.now() - begun)
    if (problem === undefined) return
    const detail = `message ${index} (${kind.group}: ${kind.name}) ${problem}: ${shown(mutant)}`
    attack.tally.violate('every malformed message is refused', detail)
    // Nobody knows what this connection answers next.
    await connection.close()
  }
}

interface Lines {
  on(what: 'fresh' | 'admitted'): Promise<RawConnection>
  close(): Promise<void>
}

/** The two connections of a sender, opened again when they have been closed. */
function createLines(url: string, name: ClientId): Lines {
  const open: Partial<Record<'fresh' | 'admitted', RawConnection>> = {}
  let freshUntil = 0

  async function reopen(what: 'fresh' | 'admitted'): Promise<RawConnection> {
    await open[what]?.close()
    const connection = await openRawConnection(url)
    open[what] = connection
    if (what === 'admitted') await connection.admit(validAuth(name, JOIN_TOKEN))
    else freshUntil = performance.now() + FRESH_MS
    return connection
  }

  return {
    async on(what) {
      const connection = open[what]
      const isUsable = connection?.isOpen === true
      const isTooOld = what === 'fresh' && performance.now() > freshUntil
      return isUsable && !isTooOld ? connection : reopen(what)
    },
    async close() {
      await Promise.all(Object.values(open).map((connection) => connection.close()))
    },
  }
}

/** The first bytes of what was sent. */
function shown({ frames }: Mutant): string {
  const [frame = ''] = frames
  if (typeof frame === 'string') return JSON.stringify(frame.slice(0, 80))
  return Buffer.from('raw' in frame ? frame.raw : frame).toString('hex', 0, 120)
}
