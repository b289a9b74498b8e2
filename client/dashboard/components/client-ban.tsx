import type { ClientResource } from '../../../shared/protocol/operator/resources.ts'
import { Confirm } from './confirm.tsx'

/** Puts a client out, or lets it back in. */
export function ClientBan({ client }: { readonly client: ClientResource }) {
  const path = `/clients/${client.id}/actions`
  if (client.ban !== null)
    return (
      <Confirm
        action="Release"
        needs="operator"
        title={`Release ${client.id}?`}
        path={path}
        body={{ action: 'release' }}
        done={`Released ${client.id}`}
      >
        It may connect again and is invited to the next round.
      </Confirm>
    )
  return (
    <Confirm
      action="Ban"
      kind="danger"
      needs="operator"
      title={`Ban ${client.id}?`}
      takesReason
      path={path}
      body={{ action: 'ban' }}
      done={`Banned ${client.id}`}
    >
      Its connection ends, the next ones are refused, and its update is left out as long as the
      round collects. Models that were published stay as they are.
    </Confirm>
  )
}
