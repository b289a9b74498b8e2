import { useState } from 'react'
import type { NewToken, TokenResource } from '../../../shared/protocol/operator/resources.ts'
import { useTokens } from '../lib/queries.ts'
import { mayAct } from '../lib/roles.ts'
import { useSession } from '../lib/use-api.ts'
import { useParam } from '../lib/use-param.ts'
import { Confirm } from '../components/confirm.tsx'
import { IssueToken } from '../components/issue-token.tsx'
import { TokenSecret } from '../components/token-secret.tsx'
import { Ago } from '../components/ui/ago.tsx'
import { Badge } from '../components/ui/badge.tsx'
import { Empty } from '../components/ui/empty.tsx'
import { FilterInput } from '../components/ui/field.tsx'
import { Loaded } from '../components/ui/loaded.tsx'
import { Page } from '../components/ui/page.tsx'
import { type Column, Table } from '../components/ui/table.tsx'

/** Who may come in, and as what. */
export function Tokens() {
  const { role } = useSession()
  if (!mayAct(role, 'admin'))
    return (
      <Page title="Tokens">
        <Empty title="Tokens are for admins">
          Your role is {role}. Ask an admin for a token or for another role.
        </Empty>
      </Page>
    )
  return <AllTokens />
}

function AllTokens() {
  const tokens = useTokens()
  const [text, setText] = useParam('q')
  const [made, setMade] = useState<NewToken | null>(null)
  return (
    <Page
      title="Tokens"
      lead={<p>Join tokens let new clients in, client tokens one each, operator tokens people.</p>}
      actions={<IssueToken onMade={setMade} />}
    >
      {made !== null && <TokenSecret token={made} onClose={() => setMade(null)} />}
      <Loaded query={tokens}>
        {(all) =>
          all.length === 0 ? (
            <Empty title="There are no tokens" />
          ) : (
            <>
              <div className="toolbar">
                <FilterInput
                  label="Label, kind or client"
                  value={text}
                  onChange={(event) => setText(event.target.value)}
                />
              </div>
              <Table
                caption="Tokens"
                columns={columnsOf(setMade)}
                rows={all.filter((token) => matches(token, text))}
                keyOf={({ id }) => id}
              />
            </>
          )
        }
      </Loaded>
    </Page>
  )
}

function matches({ label, kind, client, role }: TokenResource, text: string): boolean {
  return [label, kind, client, role].join(' ').toLowerCase().includes(text.toLowerCase())
}

const TONES = { valid: 'good', revoked: 'quiet', expired: 'warn' } as const

function columnsOf(onMade: (token: NewToken) => void): Column<TokenResource>[] {
  return [
    { id: 'label', head: 'Label', cell: ({ label }) => label },
    {
      id: 'kind',
      head: 'For',
      cell: ({ kind, role, client }) =>
        kind === 'operator'
          ? `operator, ${role ?? 'viewer'}`
          : kind === 'client'
            ? `client ${client ?? ''}`
            : 'joining',
    },
    { id: 'state', head: 'State', cell: ({ state }) => <Badge tone={TONES[state]}>{state}</Badge> },
    {
      id: 'created',
      head: 'Issued',
      isMinor: true,
      cell: ({ createdAt }) => <Ago at={createdAt} />,
    },
    {
      id: 'expires',
      head: 'Expires',
      isMinor: true,
      cell: ({ expiresAt }) =>
        expiresAt === null
          ? 'never'
          : new Date(expiresAt).toLocaleDateString('en-GB', { dateStyle: 'medium' }),
    },
    {
      id: 'actions',
      head: 'Actions',
      cell: (token) =>
        token.state === 'valid' ? <TokenActions token={token} onMade={onMade} /> : '',
    },
  ]
}

function TokenActions({
  token,
  onMade,
}: {
  readonly token: TokenResource
  readonly onMade: (token: NewToken) => void
}) {
  const path = `/tokens/${token.id}/actions`
  return (
    <span className="links">
      <Confirm
        action="Rotate"
        needs="admin"
        title={`Give “${token.label}” a new secret?`}
        path={path}
        body={{ action: 'rotate' }}
        done={`“${token.label}” has a new secret`}
        onDone={(answer) => onMade(answer as NewToken)}
      >
        The new secret is shown once. The old one stays good for some hours, so that nobody is
        locked out.
      </Confirm>
      <Confirm
        action="Revoke"
        kind="danger"
        needs="admin"
        title={`Revoke “${token.label}”?`}
        path={path}
        body={{ action: 'revoke' }}
        done={`Revoked “${token.label}”`}
      >
        {token.kind === 'operator'
          ? 'Sessions that were opened with it end.'
          : 'Clients that came in with it are disconnected at once and cannot come back.'}
      </Confirm>
    </span>
  )
}
