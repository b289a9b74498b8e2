import { medianOf } from '../../shared/numeric/median.ts'
import type { Sample } from '../support/memory-sample.ts'

/** A leak shows in so many rounds, and not in fewer. */
const LEAK_ROUNDS = 50
const SETTLED_ROUND = 5
/** Whose median is taken: single readings go up and down with what is under way. */
export const READINGS = 5
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
  const groups = [SETTLED_ROUND - (READINGS >> 1), rounds - READINGS + 1].map((first) => ({
    first,
    readings: [] as Promise<number>[],
  }))
  /** One at a time: an answer does not say to which question. */
  let last: Promise<unknown> = Promise.resolve()

  return {
    roundEnded(round: number): void {
      const group = groups.find(({ first }) => round >= first && round < first + READINGS)
      if (!isLongEnough || group === undefined) return
      const reading = last.then(sample).then(({ residentMb }) => residentMb)
      group.readings.push(reading)
      last = reading
    },
    /** @returns null for a shorter run */
    async end(): Promise<Growth | null> {
      if (!isLongEnough) return null
      const [settled, ending] = await Promise.all(
        groups.map(async ({ readings }) => medianOf(await Promise.all(readings))),
      )
      return { settledMb: settled!, endingMb: ending! }
    },
  }
}

export const isLeak = ({ settledMb, endingMb }: Growth): boolean =>
  endingMb > MOST_GROWTH * settledMb
