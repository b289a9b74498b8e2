import { useQueryClient } from '@tanstack/react-query'
import { AlertDialog } from 'radix-ui'
import { type SubmitEvent, type ReactNode, useState } from 'react'
import { Link } from 'react-router'
import type { Role } from '../../../shared/protocol/operator/role.ts'
import { mayAct } from '../lib/roles.ts'
import { useApi, useSession } from '../lib/use-api.ts'
import { Button } from './ui/button.tsx'
import { Failure } from './ui/failure.tsx'
import { Field } from './ui/field.tsx'
import { useToast } from './ui/toasts.tsx'

interface ConfirmProps {
  /** On the button that asks. */
  readonly action: string
  readonly kind?: 'plain' | 'primary' | 'danger'
  readonly needs: Role
  /** Why it cannot be done now; null: it can. */
  readonly refusal?: string | null
  readonly title: string
  /** What will happen. */
  readonly children: ReactNode
  readonly takesReason?: boolean
  readonly path: string
  readonly body: Readonly<Record<string, unknown>>
  /** What the operator reads when it is done. */
  readonly done: string
  readonly onDone?: (answer: unknown) => void
}

/** An action: asked for once more, done once however often it is sent, and told with where it is recorded. */
export function Confirm(props: ConfirmProps) {
  const { action, kind = 'plain', needs, refusal = null } = props
  const { role } = useSession()
  const [requestId, setRequestId] = useState<string | null>(null)
  const denied = mayAct(role, needs) ? refusal : `This takes the role ${needs}; yours is ${role}.`
  if (denied !== null)
    return (
      <Button kind={kind} refusal={denied}>
        {action}
      </Button>
    )
  return (
    <AlertDialog.Root
      open={requestId !== null}
      onOpenChange={(isOpen) => setRequestId(isOpen ? crypto.randomUUID() : null)}
    >
      <AlertDialog.Trigger asChild>
        <Button kind={kind}>{action}</Button>
      </AlertDialog.Trigger>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className="overlay" />
        <AlertDialog.Content className="dialog">
          {requestId !== null && (
            <Question {...props} requestId={requestId} onClose={() => setRequestId(null)} />
          )}
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  )
}

interface QuestionProps extends ConfirmProps {
  /** Sent again with each try, so that an answer that was lost does nothing twice. */
  readonly requestId: string
  readonly onClose: () => void
}

function Question(props: QuestionProps) {
  const { action, kind = 'plain', title, takesReason = false, requestId, onClose } = props
  const api = useApi()
  const queries = useQueryClient()
  const tell = useToast()
  const [reason, setReason] = useState('')
  const [isBusy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)

  async function send(): Promise<void> {
    setBusy(true)
    setError(null)
    try {
      const body = { ...props.body, requestId, ...(takesReason && { reason: reason.trim() }) }
      const answer = await api.send<unknown>('POST', props.path, body)
      tell({
        title: props.done,
        body: <Link to="/audit">Recorded in the audit log</Link>,
        tone: 'good',
      })
      void queries.invalidateQueries()
      onClose()
      props.onDone?.(answer)
    } catch (caught) {
      setError(caught)
      setBusy(false)
    }
  }
  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault()
    void send()
  }

  return (
    <form onSubmit={onSubmit}>
      <AlertDialog.Title className="dialog-title">{title}</AlertDialog.Title>
      <AlertDialog.Description asChild>
        <div className="dialog-text">{props.children}</div>
      </AlertDialog.Description>
      {takesReason && (
        <Field label="Reason" help="Stands in the audit log, and the client is told.">
          {(field) => (
            <input
              {...field}
              required
              maxLength={500}
              value={reason}
              onChange={(event) => setReason(event.target.value)}
            />
          )}
        </Field>
      )}
      {error !== null && <Failure error={error} />}
      <div className="dialog-actions">
        <AlertDialog.Cancel asChild>
          <Button>Cancel</Button>
        </AlertDialog.Cancel>
        <Button type="submit" kind={kind === 'danger' ? 'danger' : 'primary'} disabled={isBusy}>
          {isBusy ? 'Sending…' : action}
        </Button>
      </div>
    </form>
  )
}
