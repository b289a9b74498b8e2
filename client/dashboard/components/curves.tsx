import { useMemo } from 'react'
import { useNavigate } from 'react-router'
import type { RoundSummary } from '../../../shared/protocol/operator/resources.ts'
import { accuracyCurves, lossCurves } from '../lib/curves.ts'
import { nats, percent } from '../lib/format.ts'
import { LineChart } from './ui/line-chart.tsx'

interface CurvesProps {
  readonly run: string
  readonly rounds: readonly RoundSummary[]
  readonly height: number
}

const SHARES = [0, 1] as const
const LOSSES = [0, Infinity] as const
const wholePercent = (value: number) => `${Number((100 * value).toPrecision(4))}\u202f%`
const plain = (value: number) => String(value)

/** Accuracy of what each round published, with what it has to beat beside it; a click opens the round. */
export function AccuracyChart({ run, rounds, height }: CurvesProps) {
  const open = useOpenRound(run)
  const curves = useMemo(() => accuracyCurves(rounds), [rounds])
  return (
    <LineChart
      title="Accuracy on the test split by round"
      {...{ curves, height }}
      format={percent}
      tick={wholePercent}
      bounds={SHARES}
      xLabel="round"
      onPick={open}
    />
  )
}

export function LossChart({ run, rounds, height }: CurvesProps) {
  const open = useOpenRound(run)
  const curves = useMemo(() => lossCurves(rounds), [rounds])
  return (
    <LineChart
      title="Loss on the test split by round, in nats"
      {...{ curves, height }}
      format={nats}
      tick={plain}
      bounds={LOSSES}
      xLabel="round"
      onPick={open}
    />
  )
}

function useOpenRound(run: string): (round: number) => void {
  const navigate = useNavigate()
  return (round) => void navigate(`/runs/${run}/rounds/${round}`)
}
