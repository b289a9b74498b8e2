import { setTimeout as delay } from 'node:timers/promises'
import { type Blows, createBlows } from './blows.ts'
import {
  type CoordinatorProcess,
  foundNoBucket,
  startCoordinatorProcess,
} from './coordinator-process.ts'
import { type CoordinatorKill, type Moment, MOMENTS } from './plan.ts'
import { createRunProgress } from './run-progress.ts'

/** A kill that fell. */
export interface FallenKill {
  readonly moment: Moment
  /** What the coordinator had said last. */
  readonly phase: string
  readonly round: number
  /** It was frozen, not killed. */
  readonly isFrozen?: boolean
}

export interface KeeperOptions {
  /** The command's words, without `--port`. */
  readonly words: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** @default the built `graft` */
  readonly cli?: string | undefined
  readonly kills: readonly CoordinatorKill[]
  /** The run got further, or was struck. */
  readonly onProgress: () => void
}

/** A coordinator that is killed as planned, and started again each time until it ends by itself. */
export interface CoordinatorKeeper {
  /** Addresses, the same of every process; resolves when the first one listens. */
  readonly urls: Promise<readonly string[]>
  /** Resolves when it has finished; rejects when it ended with an error. */
  readonly finished: Promise<void>
  readonly fallen: readonly FallenKill[]
  /** What all processes printed, and where they were killed. */
  readonly output: readonly string[]
  /** Something was seen of the coordinator, in its own output or elsewhere. */
  see(moment: Moment, round?: number): void
  /** Bytes of uploads went to it. */
  seeBytes(bytes: number): void
  [Symbol.asyncDispose](): Promise<void>
}

export function keepCoordinator(options: KeeperOptions): CoordinatorKeeper {
  const fallen: FallenKill[] = []
  const output: string[] = []
  let child: CoordinatorProcess | null = null
  let isOver = false
  let downMs = 0
  let listening!: (url: string) => void
  const url = new Promise<string>((resolve) => (listening = resolve))

  const blows: Blows<Moment> = createBlows(options.kills, MOMENTS, strike)
  const progress = createRunProgress({
    blows,
    next: () => options.kills[fallen.length],
    onProgress: options.onProgress,
  })

  function strike(kill: CoordinatorKill): void {
    if (child === null) return
    downMs = kill.downMs
    fallen.push({ moment: kill.stage, phase: progress.phase(), round: progress.round() })
    output.push(`${stamp()} KILLED at ${kill.stage}, ${progress.phase()}`)
    options.onProgress()
    child.kill()
  }

  function onLine(line: string): void {
    output.push(`${stamp()} ${line}`)
    const [, url] = /^Listening on (\S+)\.$/.exec(line) ?? []
    if (url !== undefined) {
      progress.enter('listening')
      listening(url)
    }
    progress.read(line)
  }

  async function keep(): Promise<void> {
    let port = '0'
    for (;;) {
      progress.enter('starting')
      blows.rearm()
      const words = [...options.words, '--port', port]
      child = startCoordinatorProcess({ ...options, words }, onLine)
      void url.then((known) => (port = new URL(known).port))
      const end = await child.ended
      const { status, wasKilled, stderr } = end
      child = null
      if (isOver || status === 0) return
      const isEarly = progress.phase() === 'starting' && foundNoBucket(end)
      if (isEarly) output.push(`${stamp()} found no bucket`)
      else if (!wasKilled) throw new Error(`the coordinator ended with ${status}: ${stderr.trim()}`)
      await delay(downMs)
    }
  }

  const finished = keep()
  finished.catch(() => undefined) // whoever awaits it hears of it
  return {
    urls: url.then((known) => [known]),
    finished,
    fallen,
    output,
    see: progress.see,
    seeBytes: progress.seeBytes,
    async [Symbol.asyncDispose]() {
      isOver = true
      blows.stop()
      child?.kill()
      await finished.catch(() => undefined)
    },
  }
}

const stamp = (): string => new Date().toISOString().slice(11, 23)
