import { useRouteError } from 'react-router'
import { Failure } from '../components/ui/failure.tsx'

/** A page that could not be drawn; the others still can. */
export function Broken() {
  const error = useRouteError()
  return (
    <div className="alone">
      <h1>This page is broken</h1>
      <Failure error={error} onRetry={() => window.location.reload()} />
    </div>
  )
}
