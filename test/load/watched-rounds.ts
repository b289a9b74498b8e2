import type { LookingOperator } from './operator.ts'

/** Rounds in which an operator looks, or none does, before that changes; the first of them is not counted. */
const BLOCK = 6

export interface WatchedRounds {
  readonly rounds: number
  readonly medianSeconds: number
  /** Of the coordinator's processor time, mean of a round. */
  readonly cpuSeconds: number
}

/** Rounds of one run that nobody looked at, beside those that an operator did. */
export interface Watched {
  readonly unseen: WatchedRounds
  readonly seen: WatchedRounds
  /** News that the operator was told. */
  readonly heard: number
}

interface Measured {
  readonly isSeen: boolean
  readonly seconds: number
  readonly cpuSeconds: number
}

/**
 * Has an operator look at every other block of rounds: in turn, as other work on the machine and what a coordinator remembers
 * change with time.
 *
 * @param cpu seconds of processor time that the coordinator has had
 */
export function createWatch(operator: LookingOperator, cpu: () => Promise<number>) {
  const measured: Promise<Measured>[] = []
  let before = cpu()
  let rounds = 0

  return {
    roundEnded(seconds: number): void {
      const isSeen = Math.floor(rounds / BLOCK) % 2 === 1
      const isFirst = rounds % BLOCK === 0
      const [from, to] = [before, cpu()]
      before = to
      if (!isFirst) {
        const both = Promise.all([from, to])
        measured.push(both.then(([a, b]) => ({ isSeen, seconds, cpuSeconds: b - a })))
      }
      rounds += 1
      if (rounds % BLOCK !== 0) return
      if (isSeen) void operator.leave()
      else operator.look()
    },
    async end(): Promise<Watched> {
      const all = await Promise.all(measured)
      const heard = await operator.leave()
      operator.end()
      return {
        unseen: summarise(all.filter(({ isSeen }) => !isSeen)),
        seen: summarise(all.filter(({ isSeen }) => isSeen)),
        heard,
      }
    },
  }
}

function summarise(rounds: readonly Measured[]): WatchedRounds {
  const seconds = rounds.map((round) => round.seconds).sort((a, b) => a - b)
  const cpuSeconds = rounds.reduce((sum, round) => sum + round.cpuSeconds, 0) / rounds.length
  return {
    rounds: rounds.length,
    medianSeconds: seconds[seconds.length >> 1] ?? NaN,
    cpuSeconds,
  }
}
