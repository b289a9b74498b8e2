import type { BlobId } from '../../shared/ids.ts'

export type ReadChunk = (id: BlobId, offset: number, length: number) => Promise<Uint8Array>

/** Bytes of blobs that are kept: what all clients of a round pull at about the same time. */
const MOST_BYTES = 16 << 20
/** What a chunk counts for at least: a client may ask for a byte at a time, and for none behind the end. */
const LEAST_BYTES = 4096

/**
 * Reads a chunk once for all who ask for it at about the same time; the least recently asked for is dropped.
 *
 * @returns what `read` gave: nobody may change it
 */
export function createChunkCache(read: ReadChunk): {
  readonly read: ReadChunk
  /** Call when a blob's file was replaced. */
  readonly forget: (id: BlobId) => void
} {
  const chunks = new Map<string, Promise<Uint8Array>>()
  /** What the chunks that have been read count for. */
  const sizes = new Map<string, number>()
  let total = 0

  function drop(key: string): void {
    total -= sizes.get(key) ?? 0
    sizes.delete(key)
    chunks.delete(key)
  }

  async function fill(key: string, chunk: Promise<Uint8Array>): Promise<void> {
    try {
      const { byteLength } = await chunk
      if (chunks.get(key) !== chunk) return
      const size = Math.max(byteLength, LEAST_BYTES)
      sizes.set(key, size)
      total += size
      for (const oldest of sizes.keys()) if (total > MOST_BYTES) drop(oldest)
    } catch {
      // Whoever asked is told; the next one tries again.
      if (chunks.get(key) === chunk) drop(key)
    }
  }

  return {
    async read(id, offset, length) {
      const key = `${id}/${offset}/${length}`
      const known = chunks.get(key)
      const chunk = known ?? read(id, offset, length)
      const size = sizes.get(key)
      if (size !== undefined) {
        // To the end of the line.
        sizes.delete(key)
        sizes.set(key, size)
      }
      if (known === undefined) {
        chunks.set(key, chunk)
        void fill(key, chunk)
      }
      return chunk
    },
    forget(id) {
      for (const key of [...chunks.keys()]) if (key.startsWith(`${id}/`)) drop(key)
    },
  }
}
