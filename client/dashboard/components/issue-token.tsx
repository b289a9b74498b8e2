import { useQueryClient } from '@tanstack/react-query'
import { Dialog } from 'radix-ui'
import { type SubmitEvent, useState } from 'react'
import type { NewToken } from '../../../shared/protocol/operator/resources.ts'
import { mayAct } from '../lib/roles.ts'
import { useApi, useSession } from '../lib/use-api.ts'
import { Button } from './ui/button.tsx'
import { Failure } from './ui/failure.tsx'
import { Field } from './ui/field.tsx'

const DAYS = [
  ['', 'never'],
  ['1', 'in a day'],
  ['7', 'in a week'],
  ['30', 'in 30 days'],
  ['365', 'in a year'],
] as const

/** The button and the dialog that make a token. */
export function IssueToken({ onMade }: { readonly onMade: (token: NewToken) => void }) {
  const { role } = useSession()
  const [requestId, setRequestId] = useState<string | null>(null)
  if (!mayAct(role, 'admin'))
    return (
      <Button kind="primary" refusal={`This takes the role admin; yours is ${role}.`}>
        Issue a token
      </Button>
    )
  return (
    <Dialog.Root
      open={requestId !== null}
      onOpenChange={(isOpen) => setRequestId(isOpen ? crypto.randomUUID() : null)}
    >
      <Dialog.Trigger asChild>
        <Button kind="primary">Issue a token</Button>
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        <Dialog.Content className="dialog" aria-describedby={undefined}>
          <Dialog.Title className="dialog-title">Issue a token</Dialog.Title>
          {requestId !== null && (
            <TokenForm
              requestId={requestId}
              onMade={(token) => {
                setRequestId(null)
                onMade(token)
              }}
            />
          )}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  )
}

function TokenForm({
  requestId,
  onMade,
}: {
  readonly requestId: string
  readonly onMade: (token: NewToken) => void
}) {
  const api = useApi()
  const queries = useQueryClient()
  const [kind, setKind] = useState('join')
  const [error, setError] = useState<unknown>(null)
  const [isBusy, setBusy] = useState(false)

  async function issue(form: FormData): Promise<void> {
    setBusy(true)
    setError(null)
    const word = (name: string) => textOf(form.get(name))
    try {
      const made = await api.send<NewToken>('POST', '/tokens', {
        ...{ kind, requestId },
        ...(kind === 'operator' && { role: word('role') }),
        ...(kind === 'client' && { client: word('client') }),
        ...(word('label') !== '' && { label: word('label') }),
        ...(word('days') !== '' && { expiresInSeconds: Number(word('days')) * 86_400 }),
      })
      await queries.invalidateQueries({ queryKey: ['tokens'] })
      onMade(made)
    } catch (caught) {
      setError(caught)
      setBusy(false)
    }
  }
  const onSubmit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    void issue(new FormData(event.currentTarget))
  }
  return (
    <form onSubmit={onSubmit} className="stack">
      <Field label="For">
        {(field) => (
          <select {...field} value={kind} onChange={(event) => setKind(event.target.value)}>
            <option value="join">clients that join</option>
            <option value="client">one client</option>
            <option value="operator">an operator</option>
          </select>
        )}
      </Field>
      {kind === 'client' && (
        <Field label="Client" help="a-z, 0-9, dots, underscores and hyphens">
          {(field) => (
            <input {...field} name="client" required pattern="[a-z0-9][a-z0-9._\-]{0,62}" />
          )}
        </Field>
      )}
      {kind === 'operator' && (
        <Field
          label="Role"
          help="A viewer looks, an operator steers runs, an admin hands out access."
        >
          {(field) => (
            <select {...field} name="role" defaultValue="viewer">
              <option>viewer</option>
              <option>operator</option>
              <option>admin</option>
            </select>
          )}
        </Field>
      )}
      <Field label="Label" help="Whose it is, so that it can be found again.">
        {(field) => <input {...field} name="label" maxLength={100} />}
      </Field>
      <Field label="Expires">
        {(field) => (
          <select {...field} name="days">
            {DAYS.map(([days, text]) => (
              <option key={days} value={days}>
                {text}
              </option>
            ))}
          </select>
        )}
      </Field>
      {error !== null && <Failure error={error} />}
      <div className="dialog-actions">
        <Dialog.Close asChild>
          <Button>Cancel</Button>
        </Dialog.Close>
        <Button type="submit" kind="primary" disabled={isBusy}>
          Issue
        </Button>
      </div>
    </form>
  )
}

/** A field of text; the form has no files. */
const textOf = (value: FormDataEntryValue | null): string =>
  typeof value === 'string' ? value.trim() : ''
