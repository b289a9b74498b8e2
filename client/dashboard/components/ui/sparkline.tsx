import { memo } from 'react'

interface SparklineProps {
  readonly values: readonly number[]
  readonly width: number
  readonly height: number
  readonly label: string
}

/** A line without axes: whether it falls is all that it says. */
export const Sparkline = memo(function Sparkline({ values, width, height, label }: SparklineProps) {
  if (values.length < 2)
    return <svg className="sparkline" width={width} height={height} aria-hidden="true" />
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const x = (i: number) => 1 + (i / (values.length - 1)) * (width - 5)
  const y = (value: number) => height - 2.5 - ((value - low) / (high - low || 1)) * (height - 5)
  const path = values
    .map((value, i) => `${i === 0 ? 'M' : 'L'}${x(i).toFixed(1)} ${y(value).toFixed(1)}`)
    .join('')
  return (
    <svg className="sparkline" width={width} height={height} role="img" aria-label={label}>
      <path d={path} />
      <circle cx={x(values.length - 1)} cy={y(values.at(-1)!)} r="2" />
    </svg>
  )
})
