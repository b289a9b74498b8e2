export interface LanesOptions<Run, Result> {
  /** Runs beside each other. */
  readonly lanes: number
  /** Does one run; the signal is aborted when another one has failed, or `signal` is. */
  readonly act: (run: Run, signal: AbortSignal) => Promise<Result>
  /** The first run of a group ends before the others of it begin, which find what it has made. @default each is a group */
  readonly groupOf?: (run: Run) => unknown
  readonly signal: AbortSignal
}

/**
 * Does runs, several beside each other.
 *
 * @returns results in the order of the runs
 * @throws what the first run that failed has thrown, once all others have ended
 */
export async function runInLanes<Run, Result>(
  runs: readonly Run[],
  { lanes, act, groupOf = (run) => run, signal }: LanesOptions<Run, Result>,
): Promise<Result[]> {
  const results = new Map<Run, Result>()
  const waiting = [...runs]
  const open = new Set<unknown>()
  const busy = new Set<unknown>()
  const failed = new AbortController()
  const either = AbortSignal.any([signal, failed.signal])
  let wake: () => void = () => undefined

  const canBegin = (run: Run): boolean => open.has(groupOf(run)) || !busy.has(groupOf(run))

  async function work(): Promise<void> {
    while (waiting.length > 0 && !either.aborted) {
      const place = waiting.findIndex(canBegin)
      const [run] = place < 0 ? [] : waiting.splice(place, 1)
      if (run === undefined) {
        await ended
        continue
      }
      busy.add(groupOf(run))
      results.set(run, await act(run, either))
      open.add(groupOf(run))
      announce()
    }
  }

  let ended = new Promise<void>((resolve) => (wake = resolve))
  function announce(): void {
    wake()
    ended = new Promise<void>((resolve) => (wake = resolve))
  }

  const workers = Array.from({ length: lanes }, () =>
    work().catch((error: unknown) => {
      failed.abort(error)
      announce()
      throw error
    }),
  )
  await Promise.allSettled(workers)
  signal.throwIfAborted()
  failed.signal.throwIfAborted()
  return runs.map((run) => results.get(run)!)
}
