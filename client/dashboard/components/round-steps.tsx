import { Link } from 'react-router'

interface RoundStepsProps {
  readonly run: string
  readonly round: number
  readonly last: number
  /** What follows the round in the address. */
  readonly page?: string
}

/** To the rounds before and behind, on the same page. */
export function RoundSteps({ run, round, last, page = '' }: RoundStepsProps) {
  const to = (other: number) => `/runs/${run}/rounds/${other}${page}`
  return (
    <nav className="steps" aria-label="Rounds">
      {round > 1 && (
        <Link className="button" to={to(round - 1)} rel="prev">
          ← Round {round - 1}
        </Link>
      )}
      {round < last && (
        <Link className="button" to={to(round + 1)} rel="next">
          Round {round + 1} →
        </Link>
      )}
    </nav>
  )
}
