import type { RoundSummary } from '../../../shared/protocol/operator/resources.ts'

export interface CurvePoint {
  readonly x: number
  readonly y: number
}

export interface Curve {
  readonly id: string
  readonly label: string
  /** A CSS colour. */
  readonly colour: string
  readonly dash?: string
  /** What the chart is about, as against what it is compared with. */
  readonly isMain?: boolean
  /** It may leave the picture, with its value beside its name. */
  readonly isMinor?: boolean
  readonly points: readonly CurvePoint[]
}

type ControlName = keyof RoundSummary['controls']

/** What a published model has to beat, in the order of how much it says. */
export const CONTROLS = [
  { name: 'ensemble', label: 'ensemble', colour: 'var(--s4)', dash: '6 3' },
  { name: 'bestParentTuned', label: 'best parent + tuning', colour: 'var(--s1)' },
  { name: 'averageTuned', label: 'average + tuning', colour: 'var(--s2)' },
  { name: 'proxyAlone', label: 'proxy set alone', colour: 'var(--s7)', dash: '2 3' },
  { name: 'average', label: 'average', colour: 'var(--s3)', dash: '2 3', isMinor: true },
] as const satisfies readonly (Omit<Curve, 'id' | 'points'> & { readonly name: ControlName })[]

/** Accuracy of what was published, and of the controls where they were measured. */
export function accuracyCurves(rounds: readonly RoundSummary[]): Curve[] {
  const published: Curve = {
    id: 'published',
    label: 'published',
    colour: 'var(--accent)',
    isMain: true,
    points: rounds.map(({ round, published }) => ({ x: round, y: published.accuracy })),
  }
  const controls = CONTROLS.map(({ name, ...look }): Curve => ({
    ...look,
    id: name,
    points: rounds.flatMap(({ round, controls }) => {
      const y = controls[name]
      return y === null ? [] : [{ x: round, y }]
    }),
  }))
  return [published, ...controls].filter(({ points }) => points.length > 0)
}

/** Loss of what was published beside that of the candidates. */
export function lossCurves(rounds: readonly RoundSummary[]): Curve[] {
  const of = (key: 'published' | 'tuned' | 'fused') =>
    rounds.map((round) => ({ x: round.round, y: round[key].loss }))
  if (rounds.length === 0) return []
  return [
    {
      id: 'published',
      label: 'published',
      colour: 'var(--accent)',
      isMain: true,
      points: of('published'),
    },
    { id: 'fused', label: 'fused, untuned', colour: 'var(--s1)', points: of('fused') },
  ]
}

/**
 * What the y axis shows. The first rounds of a long run would squeeze all that follows into a line: they may leave the
 * picture below.
 */
export function shownValues(curves: readonly Curve[]): number[] {
  const rounds = Math.max(0, ...curves.map(({ points }) => points.length))
  const skipped = rounds < 30 ? 0 : Math.ceil(rounds * 0.08)
  const major = curves.filter(({ isMinor = false }) => !isMinor)
  return major.flatMap(({ points }) =>
    points.slice(points.length > skipped ? skipped : 0).map(({ y }) => y),
  )
}

export interface ThinPoint extends CurvePoint {
  readonly low: number
  readonly high: number
}

/** Points that a pixel or two apart would be a smear: means of as few neighbours as do, with their lowest and highest. */
export function thinOut(points: readonly CurvePoint[], most: number): ThinPoint[] {
  const size = Math.ceil(points.length / Math.max(1, most))
  return Array.from({ length: Math.ceil(points.length / Math.max(1, size)) }, (_, i) => {
    const part = points.slice(i * size, (i + 1) * size)
    const ys = part.map(({ y }) => y)
    return {
      x: part.reduce((sum, { x }) => sum + x, 0) / part.length,
      y: ys.reduce((sum, y) => sum + y, 0) / part.length,
      low: Math.min(...ys),
      high: Math.max(...ys),
    }
  })
}

/** The most demanding control of a round: its name and its accuracy; null where none was measured. */
export function bestControl({
  controls,
}: Pick<RoundSummary, 'controls'>): { readonly label: string; readonly accuracy: number } | null {
  const measured = CONTROLS.filter(({ name }) => name !== 'ensemble').flatMap(({ name, label }) => {
    const accuracy = controls[name]
    return accuracy === null ? [] : [{ label, accuracy }]
  })
  return measured.toSorted((a, b) => b.accuracy - a.accuracy)[0] ?? null
}
