import { Link } from 'react-router'
import { mayAct } from '../lib/roles.ts'
import { useSession } from '../lib/use-api.ts'
import { useLive } from '../lib/use-live.ts'
import { Button } from './ui/button.tsx'

/** Why no run can be created; null: one can. */
export function useNewRunRefusal(): string | null {
  const { role } = useSession()
  const staysForRuns = useLive(({ federation }) => federation?.staysForRuns ?? true)
  if (!mayAct(role, 'operator')) return `This takes the role operator; yours is ${role}.`
  return staysForRuns
    ? null
    : 'This coordinator was started without --stay: it takes no runs from operators.'
}

export function NewRunLink() {
  const refusal = useNewRunRefusal()
  if (refusal !== null)
    return (
      <Button kind="primary" refusal={refusal}>
        New run
      </Button>
    )
  return (
    <Link to="/runs/new" className="button primary">
      New run
    </Link>
  )
}
