import { MAX_WINDOW_BYTES } from './messages.ts'

/** What a coordinator has under way in one direction, of all clients together: until it is written, it is in memory. */
const BYTES_UNDER_WAY = 64 << 20

/** A window that is smaller would cost more messages than it saves memory. */
const LEAST_WINDOW_BYTES = 64 << 10

/** @returns bytes that each of so many transfers may have under way: equal shares, so that a slow line keeps nobody out */
export function transferWindow(transfers: number): number {
  const share = Math.floor(BYTES_UNDER_WAY / Math.max(1, transfers))
  return Math.min(MAX_WINDOW_BYTES, Math.max(LEAST_WINDOW_BYTES, share))
}
