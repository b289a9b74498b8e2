import { setTimeout } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')

/** Frees what nobody holds, arrays a little later in a thread. */
export const collectGarbage = runInNewContext('gc') as () => void

/** Resident memory of this process in bytes, garbage freed. */
export async function residentBytes(): Promise<number> {
  collectGarbage()
  await setTimeout(100)
  return process.memoryUsage.rss()
}
