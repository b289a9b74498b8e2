import { setTimeout as delay } from 'node:timers/promises'
import { type Blows, createBlows } from './blows.ts'
import type { CoordinatorKeeper, FallenKill, KeeperOptions } from './coordinator-keeper.ts'
import {
  type CoordinatorProcess,
  foundNoBucket,
  startCoordinatorProcess,
} from './coordinator-process.ts'
import { type CoordinatorKill, type Moment, MOMENTS } from './plan.ts'
import { createRunProgress } from './run-progress.ts'
import type { Takeover } from './takeovers.ts'

export interface PairOptions extends Omit<KeeperOptions, 'words'> {
  /** The command's words of each, with a home and a port of its own. */
  readonly words: readonly [readonly string[], readonly string[]]
  readonly urls: readonly [string, string]
  /** Whether nobody is struck while there is nobody to take over. */
  readonly waitsForStandby: boolean
}

/** A coordinator that leads and one that stands by, in turns: whoever was struck comes back behind the other one. */
export interface CoordinatorPair extends CoordinatorKeeper {
  readonly takeovers: readonly Takeover[]
  /** Leaders that came back late, and ended. */
  readonly deposed: () => number
  /** A client was answered. */
  answered(): void
  /** An event was journalled. */
  journalled(): void
}

type Place = 'away' | 'starting' | 'standing by' | 'leading' | 'frozen'

interface Member {
  readonly name: string
  child: CoordinatorProcess | null
  place: Place
  /** Longest it stays away when it was killed. */
  downMs: number
}

/** Where it is by now, whatever it was before somebody else looked after it. */
const placeOf = ({ place }: Member): Place => place

/** Of a takeover that is not over. */
type OpenTakeover = { -readonly [Key in keyof Takeover]: Takeover[Key] }

export function keepPair(options: PairOptions): CoordinatorPair {
  const fallen: FallenKill[] = []
  const output: string[] = []
  const takeovers: OpenTakeover[] = []
  const members: Member[] = ['a', 'b'].map((name) => ({
    ...{ name, child: null, place: 'away', downMs: 0 },
  }))
  let open: { takeover: OpenTakeover; at: number; hasLeader: boolean } | null = null
  let isOver = false
  let hasEnded = false
  let deposed = 0
  let listening!: () => void
  const hasListened = new Promise<void>((resolve) => (listening = resolve))
  const freezes = new Set<NodeJS.Timeout>()

  const blows: Blows<Moment> = createBlows(options.kills, MOMENTS, strike)
  const progress = createRunProgress({
    blows,
    next: () => options.kills[fallen.length],
    onProgress: options.onProgress,
  })

  const isDone = () => isOver || hasEnded
  const leader = () => members.find(({ place }) => place === 'leading')

  function rearm(): void {
    const hasStandby = members.some(({ place }) => place === 'standing by')
    if (leader() !== undefined && (hasStandby || !options.waitsForStandby)) blows.rearm()
  }

  function strike(kill: CoordinatorKill): void {
    const struck = leader() ?? members.find(({ child }) => child !== null)
    if (!struck?.child) return
    const { child } = struck
    fallen.push({
      moment: kill.stage,
      phase: progress.phase(),
      round: progress.round(),
      isFrozen: kill.freezeMs !== null,
    })
    const how = kill.freezeMs === null ? 'killed' : 'frozen'
    note(struck, `${how.toUpperCase()} at ${kill.stage}, ${progress.phase()}`)
    options.onProgress()
    const isReady = struck.place === 'leading' && members.some((it) => it.place === 'standing by')
    const takeover: OpenTakeover = {
      how,
      phase: progress.phase(),
      answeredMs: null,
      journalledMs: null,
    }
    open = isReady ? { takeover, at: performance.now(), hasLeader: false } : null
    if (kill.freezeMs === null) {
      struck.downMs = kill.downMs
      child.kill()
      return
    }
    struck.place = 'frozen'
    child.freeze()
    const timer = setTimeout(() => {
      freezes.delete(timer)
      child.thaw()
      if (struck.place !== 'frozen' || struck.child !== child) return
      note(struck, 'THAWED')
      // It was not missed: it goes on.
      if (leader() !== undefined) return
      struck.place = 'leading'
      open = null
      rearm()
    }, kill.freezeMs)
    freezes.add(timer)
  }

  function note({ name }: Member, text: string): void {
    output.push(`${new Date().toISOString().slice(11, 23)} ${name} ${text}`)
  }

  function onLine(member: Member, line: string): void {
    note(member, line)
    if (line.startsWith('Standing by:')) {
      member.place = 'standing by'
      rearm()
    }
    // What a late leader still says is no news of the run.
    const isNews = member.place !== 'frozen' || leader() === undefined
    if (line.includes('This coordinator leads now.') && open?.hasLeader === false) {
      open.hasLeader = true
      takeovers.push(open.takeover)
    }
    if (line.startsWith('Listening on')) {
      member.place = 'leading'
      progress.enter('listening')
      listening()
      rearm()
    }
    if (!isNews) return
    progress.read(line)
  }

  async function keep(member: Member, words: readonly string[]): Promise<void> {
    while (!isDone()) {
      member.place = 'starting'
      const child = startCoordinatorProcess({ ...options, words }, (line) => onLine(member, line))
      member.child = child
      const end = await child.ended
      const { status, wasKilled, stderr } = end
      const was = placeOf(member)
      member.child = null
      member.place = 'away'
      if (isDone() && status !== 0) return
      if (status === 0) {
        hasEnded = true
        // One that is just starting would begin the run anew; one that stands by ends by itself.
        for (const other of members) if (other.place === 'starting') other.child?.kill()
        return
      }
      if (/GRAFT_LEADERSHIP_LOST/.test(stderr)) {
        deposed++
        note(member, 'came back late, and ended')
      } else if (was === 'starting' && foundNoBucket(end)) {
        note(member, 'found no bucket')
      } else if (!wasKilled) {
        throw new Error(
          `coordinator ${member.name} ended with ${status} (${was}): ${stderr.trim()}`,
        )
      }
      await delay(member.downMs)
    }
  }

  const finished = Promise.all(members.map((it, index) => keep(it, options.words[index]!))).then(
    () => undefined,
  )
  finished.catch(() => undefined) // whoever awaits it hears of it
  return {
    urls: hasListened.then(() => options.urls),
    finished,
    fallen,
    output,
    takeovers,
    deposed: () => deposed,
    see: progress.see,
    seeBytes: progress.seeBytes,
    answered() {
      if (open?.hasLeader) open.takeover.answeredMs ??= performance.now() - open.at
    },
    journalled() {
      if (open?.hasLeader) open.takeover.journalledMs ??= performance.now() - open.at
    },
    async [Symbol.asyncDispose]() {
      isOver = true
      blows.stop()
      for (const timer of freezes) clearTimeout(timer)
      for (const { child } of members) child?.kill()
      await finished.catch(() => undefined)
    },
  }
}
