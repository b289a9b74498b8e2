import { type Domain, niceDomain, ticks, linearScale } from '../../../../shared/charts/scale.ts'
import { useWidth } from '../../lib/use-width.ts'

export interface DotRow {
  readonly label: string
  readonly value: number
  readonly colour: string
  /** What the picture is about. */
  readonly isMain?: boolean
  readonly note?: string
  /** Single values that the row sums up, drawn faintly. */
  readonly members?: readonly number[]
}

interface RangeDotsProps {
  readonly title: string
  readonly rows: readonly DotRow[]
  readonly format: (value: number) => string
  readonly tick: (value: number) => string
  readonly bounds: Domain
}

const ROW = 26

/** Values on one axis under each other, so that a difference is a distance. */
export function RangeDots({ title, rows, format, tick, bounds }: RangeDotsProps) {
  const [ref, width] = useWidth<HTMLDivElement>()
  const domain = niceDomain(
    rows.flatMap(({ value, members = [] }) => [value, ...members]),
    bounds,
  )
  const x = linearScale(domain, [6, Math.max(60, width - 6)])
  return (
    <div className="dots">
      <ol aria-label={title}>
        {rows.map(({ label, value, note, isMain = false }) => (
          <li key={label} className={isMain ? 'main' : ''} style={{ height: ROW }}>
            <span title={note}>{label}</span>
            <b>{format(value)}</b>
          </li>
        ))}
      </ol>
      <div ref={ref}>
        <svg width={width} height={rows.length * ROW + 20} aria-hidden="true">
          {ticks(domain, width < 300 ? 2 : 4).map((value) => (
            <g key={value}>
              <path className="grid" d={`M${x(value)} 0V${rows.length * ROW}`} />
              <text
                className="tick"
                x={x(value)}
                y={rows.length * ROW + 15}
                textAnchor={x(value) > width - 24 ? 'end' : x(value) < 20 ? 'start' : 'middle'}
              >
                {tick(value)}
              </text>
            </g>
          ))}
          {rows.map(({ label, value, colour, isMain = false, members = [] }, i) => (
            <g key={label} style={{ fill: colour, stroke: colour }}>
              <path className="stem" d={`M${x(domain[0])} ${(i + 0.5) * ROW}H${x(value)}`} />
              {members.map((member, j) => (
                <circle key={j} className="member" cx={x(member)} cy={(i + 0.5) * ROW} r="2.5" />
              ))}
              <circle cx={x(value)} cy={(i + 0.5) * ROW} r={isMain ? 6 : 4.5} />
            </g>
          ))}
        </svg>
      </div>
    </div>
  )
}
