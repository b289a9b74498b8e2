/** What the order of runs depends on. */
export interface SeededRun {
  readonly seed: number
}

export interface LanesOptions<Run, Result> {
  /** Runs beside each other. */
  readonly lanes: number
  /** Does one run; the signal is aborted when another one has failed, or `signal` is. */
  readonly act: (run: Run, signal: AbortSignal) => Promise<Result>
  readonly signal: AbortSignal
}

/**
 * Does runs, several beside each other. The first of each seed runs alone among those of its seed: the
 * others find its updates, and need not train them again.
 *
 * @returns results in the order of the runs
 * @throws what the first run that failed has thrown, once all others have ended
 */
export async function runInLanes<Run extends SeededRun, Result>(
  runs: readonly Run[],
  { lanes, act, signal }: LanesOptions<Run, Result>,
): Promise<Result[]> {
  const results = new Map<Run, Result>()
  const waiting = [...runs]
  const openSeeds = new Set<number>()
  const busySeeds = new Set<number>()
  const failed = new AbortController()
  const either = AbortSignal.any([signal, failed.signal])
  let wake: () => void = () => undefined

  async function work(): Promise<void> {
    while (waiting.length > 0 && !either.aborted) {
      const place = waiting.findIndex(({ seed }) => openSeeds.has(seed) || !busySeeds.has(seed))
      const [run] = place < 0 ? [] : waiting.splice(place, 1)
      if (run === undefined) {
        await ended
        continue
      }
      busySeeds.add(run.seed)
      results.set(run, await act(run, either))
      openSeeds.add(run.seed)
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
