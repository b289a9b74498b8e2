import type { FailureResource } from '../../../../shared/protocol/operator/resources.ts'
import { ProblemError } from '../../lib/api.ts'
import { Button } from './button.tsx'

/** What went wrong, what to do, and the code to look it up by. */
export function Failure({
  error,
  onRetry,
}: {
  readonly error: unknown
  readonly onRetry?: () => void
}) {
  return <Explained {...explain(error)} {...(onRetry && { onRetry })} />
}

/** The same of a run or a round. */
export function Failed({ failure }: { readonly failure: FailureResource }) {
  return <Explained what={failure.problem} remedy={failure.remedy} code={failure.code} />
}

function Explained({
  what,
  remedy,
  code,
  onRetry,
}: Explanation & { readonly onRetry?: () => void }) {
  return (
    <div className="failure" role="alert">
      <p className="failure-what">{what}</p>
      <p>{remedy}</p>
      <p className="failure-foot">
        {code !== null && <code>{code}</code>}
        {onRetry !== undefined && <Button onClick={onRetry}>Try again</Button>}
      </p>
    </div>
  )
}

interface Explanation {
  readonly what: string
  readonly remedy: string
  readonly code: string | null
}

/** In the words of the coordinator where it answered. */
export function explain(error: unknown): Explanation {
  if (error instanceof ProblemError) {
    const { detail, remedy, code } = error.problem
    return { what: detail, remedy, code }
  }
  if (error instanceof Error && error.name === 'UnreachableError') {
    return {
      what: error.message,
      remedy:
        'Check the network, and that the coordinator is running; this page goes on by itself.',
      code: null,
    }
  }
  return {
    what: error instanceof Error ? error.message : String(error),
    remedy: 'Reload the page. If it happens again, please report it: this is a bug in Graft.',
    code: null,
  }
}
