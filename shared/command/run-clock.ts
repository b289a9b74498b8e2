/** Tells how far several runs are, and how long the others will take if they take as long. */
export interface Clock {
  /**
   * @param isOld it was done before this process began, so its time is not known
   * @returns a line for the terminal
   */
  done(run: string, { isOld }: { isOld: boolean }): string
}

/** @param now milliseconds */
export function createClock(runs: number, now: () => number = () => performance.now()): Clock {
  let done = 0
  let timed = 0
  let spent = 0
  let since = now()
  return {
    done(run, { isOld }) {
      done++
      if (!isOld) {
        timed++
        spent += now() - since
      }
      since = now()
      const left = runs - done
      const said = `${run}: ${isOld ? 'was done before' : 'done'}; ${done} of ${runs} runs`
      if (left === 0 || timed === 0) return said
      return `${said}, about ${duration((spent / timed) * left)} to go`
    },
  }
}

/** In words, rounded as roughly as it is known. */
function duration(milliseconds: number): string {
  const minutes = milliseconds / 60_000
  if (minutes < 1.5) return `${Math.ceil(milliseconds / 1000)} s`
  return minutes < 90 ? `${Math.round(minutes)} min` : `${(minutes / 60).toFixed(1)} h`
}
