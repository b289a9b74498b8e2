interface MeterProps {
  readonly value: number
  readonly most: number
  /** A mark on the way, e.g. the quorum. */
  readonly mark?: number
  readonly label: string
}

/** How much of a whole there is. */
export function Meter({ value, most, mark, label }: MeterProps) {
  const share = (part: number) => `${(100 * Math.min(part, most)) / Math.max(1, most)}%`
  return (
    <div
      className="meter"
      role="meter"
      aria-label={label}
      aria-valuenow={value}
      aria-valuemin={0}
      aria-valuemax={most}
    >
      <span style={{ width: share(value) }} />
      {mark !== undefined && mark < most && <i style={{ left: share(mark) }} />}
    </div>
  )
}
