import { closeSync, fstatSync, openSync } from 'node:fs'

/**
 * Runs `load` with stderr pointing nowhere, for a native library that writes to it while it is being
 * loaded and has no setting against that. Linux only. Elsewhere, and where stderr is a socket, which
 * cannot be opened again, or a file, of which a second handle has its own position, `load` just runs.
 *
 * A closed descriptor is taken by the next file that is opened, so nothing else may open files
 * meanwhile: call it before the work of a command begins.
 */
export function hushStderr<Result>(load: () => Result): Result {
  if (process.platform !== 'linux') return load()
  let kept: number
  try {
    if (fstatSync(2).isFile()) return load()
    // A second handle on the same terminal or pipe.
    kept = openSync('/proc/self/fd/2', 'a')
  } catch {
    return load()
  }
  try {
    point('/dev/null')
    return load()
  } finally {
    point(`/proc/self/fd/${kept}`)
    closeSync(kept)
  }
}

/** The lowest free descriptor is the one that was just closed. */
function point(target: string): void {
  closeSync(2)
  openSync(target, 'a')
}
