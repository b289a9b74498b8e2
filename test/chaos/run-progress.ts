import type { Blows } from './blows.ts'
import { type CoordinatorKill, type Moment, MOMENTS } from './plan.ts'

/** How far a run has come, by what its coordinators print and what goes to them. */
export interface RunProgress {
  readonly round: () => number
  /** What a coordinator has said last. */
  readonly phase: () => string
  readonly enter: (phase: string) => void
  /** A line of the one that leads. */
  readonly read: (line: string) => void
  readonly see: (moment: Moment, round?: number) => void
  /** Bytes of uploads went to it: kills that wait for bytes fall then. */
  readonly seeBytes: (bytes: number) => void
}

interface ProgressOptions {
  readonly blows: Blows<Moment>
  /** The kill that falls next. */
  readonly next: () => CoordinatorKill | undefined
  /** The run got further. */
  readonly onProgress: () => void
}

export function createRunProgress({ blows, next, onProgress }: ProgressOptions): RunProgress {
  let round = 1
  let phase = 'starting'
  let uploadedBytes = 0
  const see = (moment: Moment, of = round): void => blows.see({ round: of, stage: moment })

  return {
    round: () => round,
    phase: () => phase,
    enter: (entered) => (phase = entered),
    see,
    read(line) {
      if (line.startsWith('Engine:')) see('starting')
      if (/^client-\d+: training/.test(line)) see('training')
      const [, saved] = /^Model of round (\d+): /.exec(line) ?? []
      if (saved !== undefined) {
        phase = 'between rounds'
        see('between rounds', Number(saved))
      }
      const [, number, entered] = /^round (\d+): (\w+)/.exec(line) ?? []
      if (number === undefined || entered === undefined) return
      if (Number(number) !== round) uploadedBytes = 0
      // Clients that come and go are no progress.
      if (Number(number) !== round || phase !== entered) onProgress()
      round = Number(number)
      phase = entered
      if (isMoment(entered)) see(entered)
    },
    seeBytes(bytes) {
      uploadedBytes += bytes
      const kill = next()
      if (kill?.stage !== 'uploading' || uploadedBytes >= kill.afterBytes) see('uploading')
    },
  }
}

function isMoment(text: string): text is Moment {
  return (MOMENTS as readonly string[]).includes(text)
}
