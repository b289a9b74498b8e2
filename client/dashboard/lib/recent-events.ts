/** `<number of the run>.<place in its journal>`, as `shared/protocol/operator/event-order.ts` reads it. */
const EVENT_ID = /^(\d+)\.(\d+)$/

/**
 * The id behind which the last `count` events of a run are, to ask the feed for them.
 *
 * @returns undefined where there is no event yet
 */
export function eventsBefore(lastId: string | undefined, count: number): string | undefined {
  const [, run, place] = EVENT_ID.exec(lastId ?? '') ?? []
  if (run === undefined || place === undefined) return undefined
  return `${run}.${Math.max(0, Number(place) - count)}`
}
