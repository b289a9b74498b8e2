import { type KeyboardEvent, type PointerEvent, useMemo, useState } from 'react'
import { shortLabels, spreadOut, widthOf } from '../../../../shared/charts/labels.ts'
import { type Domain, linearScale, niceDomain, ticks } from '../../../../shared/charts/scale.ts'
import { type Curve, shownValues, thinOut } from '../../lib/curves.ts'
import { useWidth } from '../../lib/use-width.ts'

interface LineChartProps {
  readonly title: string
  readonly curves: readonly Curve[]
  /** A value with its unit. */
  readonly format: (value: number) => string
  /** For the marks of the axis, which are round. */
  readonly tick: (value: number) => string
  readonly bounds: Domain
  readonly xLabel: string
  readonly height: number
  readonly onPick?: (x: number) => void
}

const [TOP, FOOT] = [10, 24]
/** Below it, the names of the lines stand under the chart. */
const ROOMY = 420

/** Lines over whole numbers, each named at its end; pointing, or the arrow keys, read off a column. */
export function LineChart(props: LineChartProps) {
  const [ref, width] = useWidth<HTMLDivElement>()
  const [at, setAt] = useState<number | null>(null)
  const { curves, format, height, title } = props
  const plot = useMemo(() => layOut(props, width), [props, width])

  const move = (x: number | null) => setAt(x === null ? null : nearest(plot.xs, x))
  const onPointer = (event: PointerEvent<SVGSVGElement>) => {
    const left = event.currentTarget.getBoundingClientRect().left
    move(plot.invert(event.clientX - left))
  }
  const onKey = (event: KeyboardEvent) => {
    const index = plot.xs.indexOf(at ?? NaN)
    const to = {
      ArrowLeft: index < 0 ? plot.xs.length - 1 : index - 1,
      ArrowRight: index + 1,
      Home: 0,
      End: plot.xs.length - 1,
    }[event.key]
    if (event.key === 'Enter' && at !== null) props.onPick?.(at)
    if (event.key === 'Escape') setAt(null)
    if (to === undefined) return
    event.preventDefault()
    setAt(plot.xs[Math.min(plot.xs.length - 1, Math.max(0, to))] ?? null)
  }
  const read =
    at === null
      ? []
      : curves
          .flatMap((curve) => {
            const point = curve.points.find(({ x }) => x === at)
            return point === undefined ? [] : [{ curve, y: point.y }]
          })
          .sort((a, b) => b.y - a.y)

  return (
    <div
      className="chart"
      ref={ref}
      tabIndex={0}
      role="group"
      aria-label={`${title}. Arrow keys read off the values.`}
      onKeyDown={onKey}
      onBlur={() => setAt(null)}
    >
      {width > 0 && (
        <svg
          width={width}
          height={height}
          aria-hidden="true"
          className={props.onPick === undefined ? '' : 'pickable'}
          onPointerMove={onPointer}
          onPointerLeave={() => setAt(null)}
          onClick={() => at !== null && props.onPick?.(at)}
        >
          {plot.yTicks.map((value) => (
            <g key={value}>
              <path className="grid" d={`M${plot.left} ${plot.y(value)}H${plot.right}`} />
              <text className="tick" x={plot.left - 6} y={plot.y(value) + 4} textAnchor="end">
                {props.tick(value)}
              </text>
            </g>
          ))}
          {plot.xTicks.map((value, i) => (
            <text
              key={value}
              className="tick"
              x={plot.x(value)}
              y={height - 6}
              textAnchor={plot.xs.length === 1 ? 'end' : 'middle'}
            >
              {i === 0 ? `${props.xLabel} ${value}` : value}
            </text>
          ))}
          <clipPath id={plot.clipId}>
            <rect
              x={plot.left - 3}
              y={0}
              width={plot.right - plot.left + 6}
              height={height - FOOT + 2}
            />
          </clipPath>
          <g clipPath={`url(#${plot.clipId})`}>{plot.lines}</g>
          {plot.labels}
          {at !== null && (
            <g>
              <path className="cursor" d={`M${plot.x(at)} ${TOP}V${height - FOOT}`} />
              {read.map(({ curve, y }) => (
                <circle
                  key={curve.id}
                  cx={plot.x(at)}
                  cy={plot.y(y)}
                  r="3.5"
                  style={{ fill: curve.colour }}
                />
              ))}
            </g>
          )}
        </svg>
      )}
      {width > 0 && width < ROOMY && <Legend curves={curves} />}
      {plot.each > 1 && (
        <p className="note">
          Drawn as means of {plot.each} rounds, the band from the lowest to the highest; pointing
          tells each round.
        </p>
      )}
      <div
        className="readout"
        aria-live="polite"
        hidden={at === null}
        style={at === null ? {} : sideOf(plot.x(at), width)}
      >
        {at !== null && (
          <>
            <strong>
              {props.xLabel} {at}
            </strong>
            <ul>
              {read.map(({ curve, y }) => (
                <li key={curve.id}>
                  <i style={{ background: curve.colour }} />
                  {curve.label} <b>{format(y)}</b>
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
    </div>
  )
}

function Legend({ curves }: { readonly curves: readonly Curve[] }) {
  return (
    <ul className="legend" aria-hidden="true">
      {curves.map(({ id, label, colour }) => (
        <li key={id}>
          <i style={{ background: colour }} />
          {label}
        </li>
      ))}
    </ul>
  )
}

function layOut({ curves, bounds, height, title, tick }: LineChartProps, width: number) {
  const yDomain = niceDomain(shownValues(curves), bounds)
  const xs = [...new Set(curves.flatMap(({ points }) => points.map(({ x }) => x)))].sort(
    (a, b) => a - b,
  )
  const [first = 0, last = 1] = [xs[0], xs.at(-1)]
  const yTicks = ticks(yDomain, height < 180 ? 3 : 5)
  const isRoomy = width >= ROOMY
  const names = shortLabels(
    curves.map((curve) => nameOf(curve, yDomain, tick)),
    24,
  )
  const left = Math.max(...yTicks.map((value) => widthOf(tick(value)))) + 12
  const right = isRoomy ? width - Math.max(...names.map(widthOf)) - 14 : width - 8
  // One round alone stands at the end, beside the names.
  const xDomain: Domain = [first === last ? first - 1 : first, last]
  const x = linearScale(xDomain, [left, right])
  const y = linearScale(yDomain, [height - FOOT, TOP])
  const invert = linearScale([left, right], xDomain)
  const ordered = curves.toSorted((a, b) => Number(a.isMain ?? false) - Number(b.isMain ?? false))
  const most = Math.max(20, Math.floor((right - left) / 4))
  const lines = ordered.map(({ id, points, colour, dash, isMain = false }) => {
    const drawn = thinOut(points, most)
    const at = (px: number, py: number) => `${x(px).toFixed(1)} ${y(py).toFixed(1)}`
    const upper = drawn.map((point) => at(point.x, point.high))
    const lower = drawn.toReversed().map((point) => at(point.x, point.low))
    return (
      <g key={id} style={{ stroke: colour, fill: colour }}>
        {isMain && drawn.length < points.length && (
          <path className="spread" d={`M${[...upper, ...lower].join('L')}Z`} />
        )}
        <path
          className={isMain ? 'line main' : 'line'}
          strokeDasharray={dash ?? 'none'}
          d={`M${drawn.map((point) => at(point.x, point.y)).join('L')}`}
        />
        {points.length <= (isMain ? 40 : 1) &&
          points.map((point) => (
            <circle key={point.x} cx={x(point.x)} cy={y(point.y)} r={isMain ? 2.6 : 2} />
          ))}
      </g>
    )
  })
  const each = Math.ceil(xs.length / most)
  const ends = curves.map(({ points }) =>
    y(Math.min(yDomain[1], Math.max(yDomain[0], points.at(-1)!.y))),
  )
  const places = spreadOut(ends, 15, [TOP + 4, height - FOOT])
  const labels = isRoomy
    ? curves.map(({ id, colour, isMain = false }, i) => (
        <g key={id}>
          <path
            className="leader"
            style={{ stroke: colour }}
            d={`M${right + 2} ${ends[i]!}L${right + 8} ${places[i]!}`}
          />
          <text
            className={isMain ? 'name main' : 'name'}
            style={{ fill: colour }}
            x={right + 11}
            y={places[i]! + 4}
          >
            {names[i]}
          </text>
        </g>
      ))
    : null
  const xTicks = ticks(
    first === last ? [first, first + 0.5] : [first, last],
    width < 500 ? 4 : 8,
    1,
  )
  const clipId = `clip-${title.replaceAll(/\W+/g, '-')}`
  return { xs, x, y, invert, left, right, yTicks, xTicks, lines, labels, clipId, each }
}

/** The name of a line, with its value where it ends outside of the picture. */
function nameOf(
  { label, points }: Curve,
  [low, high]: Domain,
  tick: LineChartProps['tick'],
): string {
  const end = points.at(-1)!.y
  if (end >= low && end <= high) return label
  return `${label} ${tick(Number(end.toFixed(2)))} ${end < low ? '↓' : '↑'}`
}

function nearest(xs: readonly number[], wanted: number): number | null {
  const best = xs.reduce(
    (a, b) => (Math.abs(b - wanted) < Math.abs(a - wanted) ? b : a),
    xs[0] ?? NaN,
  )
  return Number.isNaN(best) ? null : best
}

/** On the side where there is room. */
function sideOf(x: number, width: number): { left: number } | { right: number } {
  return x < width / 2 ? { left: x + 14 } : { right: width - x + 14 }
}
