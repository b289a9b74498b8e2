import envPaths from 'env-paths'
import { readEnvironment } from './config.ts'

/** Where this user keeps what is made or downloaded once: GRAFT_CACHE, else the system's cache folder. */
export function cacheFolder(): string {
  return readEnvironment('GRAFT_CACHE') ?? envPaths('graft', { suffix: '' }).cache
}
