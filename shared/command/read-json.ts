import { readFile } from 'node:fs/promises'

/**
 * What a file of ours holds; undefined where there is none, or where it was cut off.
 *
 * @throws Error of the file system for a file that is there and cannot be read
 */
export async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as unknown
  } catch (error) {
    // A file that is cut off says as little as none.
    if (error instanceof SyntaxError) return undefined
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
