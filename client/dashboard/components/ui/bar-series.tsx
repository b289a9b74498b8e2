import { useWidth } from '../../lib/use-width.ts'

export interface BarPart {
  readonly label: string
  readonly colour: string
}

interface BarSeriesProps {
  readonly title: string
  /** Parts of each bar, from its foot. */
  readonly parts: readonly BarPart[]
  readonly bars: readonly { readonly name: string; readonly values: readonly number[] }[]
  /** A value with its unit. */
  readonly format: (value: number) => string
}

const HEIGHT = 96

/** A small picture of stacked bars, the newest at the right, with its largest value and the parts of the newest. */
export function BarSeries({ title, parts, bars, format }: BarSeriesProps) {
  const [ref, width] = useWidth<HTMLDivElement>()
  const shown = bars.slice(-Math.max(1, Math.floor(width / 7)))
  const sums = shown.map(({ values }) => values.reduce((a, b) => a + b, 0))
  const most = Math.max(...sums, 1e-9)
  const pitch = Math.min(22, width / Math.max(1, shown.length))
  const newest = bars.at(-1)
  const total = newest?.values.reduce((a, b) => a + b, 0) ?? 0
  return (
    <figure className="bars">
      <figcaption>
        {title}
        <b>{newest === undefined ? '' : format(total)}</b>
      </figcaption>
      <div ref={ref}>
        <svg
          width={width}
          height={HEIGHT}
          role="img"
          aria-label={`${title}: ${format(total)} in the newest round, at most ${format(most)}`}
        >
          <path className="grid" d={`M0 .5H${width}M0 ${HEIGHT - 0.5}H${width}`} />
          {shown.map(({ name, values }, i) => {
            let y = HEIGHT - 1
            return (
              <g key={name}>
                <title>{`${name}: ${format(sums[i]!)}`}</title>
                {values.map((value, part) => {
                  const height = (value / most) * (HEIGHT - 2)
                  y -= height
                  return (
                    <rect
                      key={parts[part]!.label}
                      x={width - (shown.length - i) * pitch + 0.5}
                      y={y}
                      width={Math.max(1, pitch - (pitch > 4 ? 1.5 : 0.5))}
                      height={Math.max(0, height - 0.5)}
                      style={{ fill: parts[part]!.colour }}
                    />
                  )
                })}
              </g>
            )
          })}
        </svg>
      </div>
      <ul className="legend">
        {parts.map(({ label, colour }, i) => (
          <li key={label}>
            <i style={{ background: colour }} />
            {label} <b>{newest === undefined ? '' : format(newest.values[i]!)}</b>
          </li>
        ))}
      </ul>
      <p className="note">
        {shown.length < bars.length ? `Last ${shown.length} of ${bars.length} rounds; the` : 'The'}{' '}
        tallest is {format(most)}.
      </p>
    </figure>
  )
}
