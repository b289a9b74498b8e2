import type { Sample } from '../support/memory-sample.ts'

/** The coordinator at one moment of a soak. */
export interface SoakSample extends Sample {
  /** Since the soak began. */
  readonly minutes: number
  /** Rounds that have published a model. */
  readonly rounds: number
}

export interface Finding {
  readonly invariant: string
  readonly isOk: boolean
  readonly detail: string
}

/** Growth of memory from a fifth of a soak in which it is warm to its last fifth, as a share of what it was. */
const MOST_GROWTH = 0.05
/** Rounds that warm a coordinator up; on a busy machine they take longer than a fifth of a soak. */
const WARM_ROUNDS = 100
/** A process of some tens of MiB grows by so much for reasons of its own. */
const SLACK_MB = 8
/** Connections come and go while it is looked at. */
const MORE_HANDLES = 12

/** Whether memory and handles stayed where they were when the process had warmed up, and rounds went on. */
export function judgeSoak(samples: readonly SoakSample[]): Finding[] {
  const end = samples.at(-1)?.minutes ?? 0
  const fifth = end / 5
  const warm = Math.max(fifth, samples.find(({ rounds }) => rounds >= WARM_ROUNDS)?.minutes ?? 0)
  const early = between(samples, warm, Math.min(warm + fifth, end - fifth))
  const late = between(samples, end - fifth, end)
  if (early.length === 0 || late.length === 0) {
    return [{ invariant: 'there is enough to judge by', isOk: false, detail: 'too few samples' }]
  }
  const middle = (of: readonly SoakSample[], what: (sample: SoakSample) => number) =>
    of.map(what).sort((a, b) => a - b)[of.length >> 1]!
  const flat = (
    name: string,
    unit: string,
    what: (sample: SoakSample) => number,
    slack: number,
  ) => {
    const [then, now] = [middle(early, what), middle(late, what)]
    return {
      invariant: `${name} stays flat`,
      isOk: now - then <= Math.max(slack, MOST_GROWTH * then),
      detail: `${then.toFixed(unit === '' ? 0 : 1)} -> ${now.toFixed(unit === '' ? 0 : 1)}${unit}`,
    }
  }
  const advanced = late.at(-1)!.rounds - late[0]!.rounds
  return [
    flat('what is alive on the heap', ' MiB', ({ heapMb }) => heapMb, SLACK_MB),
    flat('resident memory', ' MiB', ({ residentMb }) => residentMb, SLACK_MB),
    flat(
      'the number of open files and sockets',
      '',
      ({ openFiles }) => openFiles ?? 0,
      MORE_HANDLES,
    ),
    flat('the number of timers', '', ({ resources }) => resources['Timeout'] ?? 0, MORE_HANDLES),
    {
      invariant: 'rounds go on to the end',
      isOk: advanced > 0,
      detail: `${advanced} of ${late.at(-1)!.rounds} rounds in the last fifth`,
    },
  ]
}

/** @param from minutes, without; to: with */
const between = (samples: readonly SoakSample[], from: number, to: number): SoakSample[] =>
  samples.filter(({ minutes }) => minutes > from && minutes <= to)
