import { execFileSync } from 'node:child_process'

export interface SmallDisk extends Disposable {
  /** @param size as `mount` has it, e.g. `20m` */
  resize(size: string): void
}

/** A file system of its own with `size` bytes of room, e.g. `2m`, over an empty folder. */
export function mountSmallDisk(folder: string, size: string): SmallDisk {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder])
  return {
    resize: (larger) => {
      execFileSync('mount', ['-o', `remount,size=${larger}`, folder])
    },
    [Symbol.dispose]: () => {
      execFileSync('umount', [folder])
    },
  }
}

/** Why a small disk cannot be had, or null when it can: mounting takes a right that CI has. */
export function mountingForbidden(): string | null {
  const tryIt = 'd=$(mktemp -d) && mount -t tmpfs -o size=1m tmpfs $d && umount $d && rmdir $d'
  try {
    execFileSync('sh', ['-c', tryIt], { stdio: 'ignore' })
    return null
  } catch {
    const reason = 'mounting a small file system is not allowed here'
    console.warn(`skipped: ${reason}`)
    return reason
  }
}
