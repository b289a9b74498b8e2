import { createHash } from 'node:crypto'

/** For names of folders: another one for every text, as far as eight hex digits tell. */
export const shortHash = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 8)
