import { medianOf } from '../../shared/numeric/median.ts'
import type { Sample } from '../support/memory-sample.ts'

/** A leak shows in so many rounds, and not in fewer. */
const LEAK_ROUNDS = 50
const SETTLED_ROUND = 5
/** Single readings go up and down with what is under way. */
const READINGS = 5
const MOST_GROWTH = 1.05

/** What a coordinator holds of memory, program files apart: medians of readings after a forced garbage collection. */
export interface Growth {
  /** Around the fifth round. */
  readonly settledMb: number
  /** After the last rounds. */
  readonly endingMb: number
}

/**
 * Reads memory around the fifth round and after the last ones of a run of 50 rounds or more. Garbage is collected before, as
 * dead arrays that V8 has not collected yet are tens of megabytes in one round and none in another.
 */
export function createLeakCheck(rounds: number, sample: () => Promise<Sample>) {
  const isLongEnough = rounds >= LEAK_ROUNDS
  const readings = new Map<number, Promise<number>>()
  let last: Promise<unknown> = Promise.resolve()
  const aroundSettled = within(SETTLED_ROUND - (READINGS >> 1))
  const atEnd = within(rounds - READINGS + 1)

  async function medianAmong(isOne: (round: number) => boolean): Promise<number> {
    const values = [...readings].filter(([round]) => isOne(round)).map(([, reading]) => reading)
    return medianOf(await Promise.all(values))
  }

  return {
    roundEnded(round: number): void {
      if (!isLongEnough || !(aroundSettled(round) || atEnd(round))) return
      const reading = last.then(sample).then(({ residentMb }) => residentMb)
      readings.set(round, reading)
      last = reading
    },
    /** @returns null for a shorter run */
    async end(): Promise<Growth | null> {
      if (!isLongEnough) return null
      return { settledMb: await medianAmong(aroundSettled), endingMb: await medianAmong(atEnd) }
    },
  }
}

const within =
  (first: number) =>
  (round: number): boolean =>
    round >= first && round < first + READINGS

export const isLeak = ({ settledMb, endingMb }: Growth): boolean =>
  endingMb > MOST_GROWTH * settledMb
