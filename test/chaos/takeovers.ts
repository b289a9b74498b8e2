/** A leader that was struck while a standby was ready, and how long nobody led. */
export interface Takeover {
  readonly how: 'killed' | 'frozen'
  /** What the leader was at. */
  readonly phase: string
  /** Milliseconds to the first answer that a client had of the other one; null: the run ended before. */
  readonly answeredMs: number | null
  /** Milliseconds to the next event in the journal. */
  readonly journalledMs: number | null
}

type Figure = 'answeredMs' | 'journalledMs'

/** Median and worst of each kind, in seconds, a line each. */
export function takeoverLines(takeovers: readonly Takeover[]): string[] {
  const kinds = [
    [
      'killed, collecting',
      ({ how, phase }: Takeover) => how === 'killed' && phase === 'collecting',
    ],
    ['killed, fusing', ({ how, phase }: Takeover) => how === 'killed' && phase === 'fusing'],
    ['killed, anywhere', ({ how }: Takeover) => how === 'killed'],
    ['frozen, anywhere', ({ how }: Takeover) => how === 'frozen'],
  ] as const
  return kinds.flatMap(([name, isOfKind]) => {
    const ours = takeovers.filter(isOfKind)
    if (ours.length === 0) return []
    const [answered, journalled] = [told(ours, 'answeredMs'), told(ours, 'journalledMs')]
    return [`takeover, ${name}: client answered ${answered}; next event ${journalled}`]
  })
}

function told(takeovers: readonly Takeover[], figure: Figure): string {
  const times = takeovers.flatMap((takeover) => takeover[figure] ?? []).sort((a, b) => a - b)
  if (times.length === 0) return 'never'
  const seconds = (ms: number) => (ms / 1000).toFixed(1)
  const median = (times[(times.length - 1) >> 1]! + times[times.length >> 1]!) / 2
  return `median ${seconds(median)} s, worst ${seconds(times.at(-1)!)} s of ${times.length}`
}
