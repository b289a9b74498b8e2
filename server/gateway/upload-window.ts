import { MAX_WINDOW_BYTES } from '../../shared/protocol/messages.ts'

/** What all clients together may have under way: until it is on disk, it is in memory. */
const BYTES_UNDER_WAY = 64 << 20

/** A window that is smaller would cost more messages than it saves memory. */
const LEAST_WINDOW_BYTES = 64 << 10

/** @returns bytes that each of so many uploads may have under way: equal shares, so that a slow line keeps nobody out */
export function uploadWindow(uploads: number): number {
  const share = Math.floor(BYTES_UNDER_WAY / Math.max(1, uploads))
  return Math.min(MAX_WINDOW_BYTES, Math.max(LEAST_WINDOW_BYTES, share))
}
