import { createHash } from 'node:crypto'
import { copyFile, open, rename, rm } from 'node:fs/promises'

/** Bytes of a file that are hashed at once. */
const PIECE_BYTES = 1 << 20
/** Pieces for the next files: a new one for each of a thousand fills the memory faster than it is collected. */
const spare: Uint8Array[] = []
const MOST_SPARE = 4

/** Hex SHA-256 of a file, read in pieces. */
export async function hashFile(path: string): Promise<string> {
  return (await measureFile(path)).hash
}

/** A file that was read to its end. */
export interface MeasuredFile {
  readonly hash: string
  readonly sizeBytes: number
  /** Its first bytes, as many as were asked for or as there are. */
  readonly head: Uint8Array
}

/** The same, with the size of what was hashed, and its first bytes. */
export async function measureFile(path: string, headBytes = 0): Promise<MeasuredFile> {
  const file = await open(path)
  const piece = spare.pop() ?? new Uint8Array(PIECE_BYTES)
  try {
    const hash = createHash('sha256')
    const { size } = await file.stat()
    let head = new Uint8Array(0)
    let sizeBytes = 0
    while (sizeBytes < size) {
      const { bytesRead } = await file.read(piece, 0, piece.length, sizeBytes)
      if (bytesRead === 0) break
      hash.update(piece.subarray(0, bytesRead))
      if (sizeBytes === 0) head = piece.slice(0, Math.min(headBytes, bytesRead))
      sizeBytes += bytesRead
    }
    return { hash: hash.digest('hex'), sizeBytes, head }
  } finally {
    if (spare.length < MOST_SPARE) spare.push(piece)
    await file.close()
  }
}

/** Writes a new file; its bytes are on disk on return. It must not exist. */
export async function writeFileDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx')
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Copies a file so that the copy appears complete or not at all, and what was there before stays until then. */
export async function copyWhole(from: string, to: string): Promise<void> {
  const draft = `${to}.graft-tmp`
  try {
    await copyFile(from, draft)
    await rename(draft, to)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}

/** Copies a file, also across file systems; the copy's bytes are on disk on return. */
export async function copyFileDurably(from: string, to: string): Promise<void> {
  await copyFile(from, to)
  await syncFile(to)
}

/** Renames, or copies where `from` lies on another file system, and stays there. The result is on disk. */
export async function moveFile(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if (!isErrno(error, 'EXDEV')) throw error
    return copyFileDurably(from, to)
  }
  await syncFile(to)
}

/** Whether the system said this, e.g. ENOENT. */
export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

/** Flushes a file's bytes to disk. */
export async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Flushes a folder's list of names to disk: a rename is durable only after this. */
export async function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder as a file, and writes its names through without being asked.
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
