import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { copyFile, open } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'

/** Hex SHA-256 of a file, read in pieces. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
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

/** Copies a file, also across file systems; the copy's bytes are on disk on return. */
export async function copyFileDurably(from: string, to: string): Promise<void> {
  await copyFile(from, to)
  await syncFile(to)
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
