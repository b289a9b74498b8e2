import { useQueryClient } from '@tanstack/react-query'
import { type SubmitEvent, useEffect, useRef, useState } from 'react'
import { useNavigate, useSearchParams } from 'react-router'
import type { SignedIn } from '../../../shared/protocol/operator/resources.ts'
import { useApi } from '../lib/use-api.ts'
import { Button } from '../components/ui/button.tsx'
import { Failure } from '../components/ui/failure.tsx'
import { Field } from '../components/ui/field.tsx'

/** The way in: an operator token, or the one-time link of a first start, whose secret never leaves the fragment. */
export function SignIn() {
  const api = useApi()
  const queries = useQueryClient()
  const navigate = useNavigate()
  const [params] = useSearchParams()
  const [token, setToken] = useState('')
  const [isBusy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const hasTried = useRef(false)

  async function enter(secret: { token: string } | { once: string }): Promise<void> {
    setBusy(true)
    setError(null)
    try {
      const signedIn = await api.send<SignedIn>('POST', '/session', secret)
      api.useCsrfToken(signedIn.csrfToken)
      queries.clear()
      await navigate(safeNext(params.get('next')), { replace: true })
    } catch (caught) {
      setError(caught)
      setBusy(false)
    }
  }

  useEffect(() => {
    document.title = 'Sign in · Graft'
    const once = new URLSearchParams(window.location.hash.slice(1)).get('once')
    if (once === null || hasTried.current) return
    hasTried.current = true
    // Out of the address before anything else: it works once, and histories are read.
    window.history.replaceState(null, '', window.location.pathname + window.location.search)
    void enter({ once })
  })

  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault()
    void enter({ token: token.trim() })
  }
  return (
    <main className="alone" id="main">
      <h1>Sign in to Graft</h1>
      <p className="lead">
        With an operator token, or the one-time link of the coordinator’s first start.
      </p>
      <form onSubmit={onSubmit}>
        <Field
          label="Operator token"
          help={
            <>
              An administrator makes one on the page “Tokens”, or with{' '}
              <code>graft token create --operator</code>.
            </>
          }
        >
          {(field) => (
            <input
              {...field}
              type="password"
              autoComplete="current-password"
              required
              autoFocus
              value={token}
              onChange={(event) => setToken(event.target.value)}
            />
          )}
        </Field>
        {error !== null && <Failure error={error} />}
        <Button type="submit" kind="primary" disabled={isBusy}>
          {isBusy ? 'Signing in…' : 'Sign in'}
        </Button>
      </form>
    </main>
  )
}

/** Where the visitor wanted to go, if that is on this site. */
function safeNext(next: string | null): string {
  return next !== null && /^\/(?![/\\])/.test(next) ? next : '/'
}
