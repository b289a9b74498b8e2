import { z } from 'zod'
import { GraftError } from '../../shared/errors.ts'

/** What the query of every list may say. */
export const PAGE_QUERY = {
  cursor: z.string().max(500).optional().describe('`next` of the page before'),
  limit: z.coerce.number().int().min(1).max(200).default(50).describe('most items of a page'),
}

/** One page of a list. */
export interface Page<Item> {
  items: Item[]
  next: string | null
}

/**
 * A cursor says where a page ended, in terms that stay: whatever is stored or removed meanwhile, the next page goes on there.
 * Its form is nobody's business but this file's.
 */
export function parseCursor<Place extends z.ZodType>(
  place: Place,
  cursor: string | undefined,
): z.infer<Place> | undefined {
  if (cursor === undefined) return undefined
  try {
    return place.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')))
  } catch (cause) {
    const problem = 'The cursor is not one that a page of this list ended with.'
    throw new GraftError('GRAFT_REQUEST_INVALID', problem, { cause })
  }
}

/**
 * @param found one more than the page holds, when there is another page
 * @param placeOf where the page ends when this is its last item
 */
export function toPage<Found, Item>(
  found: readonly Found[],
  limit: number,
  { placeOf, toItem }: { placeOf: (last: Found) => unknown; toItem: (one: Found) => Item },
): Page<Item> {
  const shown = found.slice(0, limit)
  const last = shown.at(-1)
  const isMore = found.length > limit && last !== undefined
  return { items: shown.map(toItem), next: isMore ? toCursor(placeOf(last)) : null }
}

/** A page of a list that is in memory, ordered by the key that `keyOf` gives. */
export function pageOfList<Item>(
  all: readonly Item[],
  { cursor, limit }: { readonly cursor?: string | undefined; readonly limit: number },
  keyOf: (item: Item) => string,
): Page<Item> {
  const after = parseCursor(z.string(), cursor)
  const sorted = [...all].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0))
  const behind = after === undefined ? sorted : sorted.filter((item) => keyOf(item) > after)
  return toPage(behind.slice(0, limit + 1), limit, { placeOf: keyOf, toItem: (item) => item })
}

function toCursor(place: unknown): string {
  return Buffer.from(JSON.stringify(place), 'utf8').toString('base64url')
}
