/** What became of everything of one kind. */
export interface TallyRow {
  readonly group: string
  readonly name: string
  sent: number
  /** Refused, by code; `closed`, `passed over` and `silent` beside them. */
  readonly outcomes: Record<string, number>
  slowestMs: number
}

/** Something that must not happen. */
export interface Violation {
  readonly invariant: string
  /** One line; for a message with its number, from which it can be made again. */
  readonly detail: string
}

/** Violations that are kept in full; a broken coordinator breaks on every message. */
const MOST_VIOLATIONS = 50

export interface Tally {
  readonly rows: ReadonlyMap<string, TallyRow>
  readonly violations: readonly Violation[]
  readonly numViolations: number
  count(kind: { group: string; name: string }, outcome: string, ms: number): void
  violate(invariant: string, detail: string): void
}

export function createTally(): Tally {
  const rows = new Map<string, TallyRow>()
  const violations: Violation[] = []
  let numViolations = 0
  return {
    rows,
    violations,
    get numViolations() {
      return numViolations
    },
    count({ group, name }, outcome, ms) {
      const key = `${group}: ${name}`
      const row = rows.get(key) ?? { group, name, sent: 0, outcomes: {}, slowestMs: 0 }
      rows.set(key, row)
      row.sent++
      row.outcomes[outcome] = (row.outcomes[outcome] ?? 0) + 1
      row.slowestMs = Math.max(row.slowestMs, ms)
    },
    violate(invariant, detail) {
      numViolations++
      if (violations.length < MOST_VIOLATIONS) violations.push({ invariant, detail })
    },
  }
}
