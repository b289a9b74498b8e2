/** Of an event: `<number of its run>.<its place in the run's journal>`. */
const EVENT_ID = /^(\d{1,15})\.(\d{1,15})$/

/** Whether the event `id` comes after the event `other`, both as the live feed names them. */
export function comesAfter(id: string, other: string): boolean {
  const [, run, seq] = EVENT_ID.exec(id) ?? []
  const [, otherRun, otherSeq] = EVENT_ID.exec(other) ?? []
  if (run !== otherRun) return Number(run) > Number(otherRun)
  return Number(seq) > Number(otherSeq)
}
