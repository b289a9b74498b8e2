import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from 'react-router'
import type { SessionResource } from '../../../shared/protocol/operator/resources.ts'
import { dateTime } from '../lib/format.ts'
import { useSessions } from '../lib/queries.ts'
import { mayAct } from '../lib/roles.ts'
import { useApi, useSession } from '../lib/use-api.ts'
import { useLive } from '../lib/use-live.ts'
import { THEMES, useTheme } from '../lib/use-theme.ts'
import { Ago } from '../components/ui/ago.tsx'
import { Button } from '../components/ui/button.tsx'
import { Facts } from '../components/ui/facts.tsx'
import { Loaded } from '../components/ui/loaded.tsx'
import { Page, Section } from '../components/ui/page.tsx'
import { Segmented } from '../components/ui/segmented.tsx'
import { type Column, Table } from '../components/ui/table.tsx'
import { useToast } from '../components/ui/toasts.tsx'

const THEME_NAMES = { system: 'As the system', light: 'Light', dark: 'Dark' } as const

export function Settings() {
  const [theme, setTheme] = useTheme()
  const federation = useLive((state) => state.federation)
  const { label, role, expiresAt } = useSession()
  return (
    <Page title="Settings" actions={<SignOut />}>
      <Section title="Appearance">
        <Segmented
          label="Appearance"
          value={theme}
          choices={THEMES.map((one) => [one, THEME_NAMES[one]])}
          onChange={setTheme}
        />
      </Section>
      <Section
        title="Sessions"
        note={`signed in as ${label}, ${role}, until ${dateTime(expiresAt)}`}
      >
        {mayAct(role, 'admin') ? (
          <Sessions />
        ) : (
          <p className="note">Whoever else is signed in is for admins to see.</p>
        )}
      </Section>
      <Section title="About">
        {federation !== null && (
          <Facts
            facts={[
              ['Graft', federation.version],
              ['Engine', federation.engine],
              ['Leads since', dateTime(federation.since)],
              [
                'Takes runs',
                federation.staysForRuns ? 'from operators' : 'from its command line only',
              ],
            ]}
          />
        )}
      </Section>
    </Page>
  )
}

function Sessions() {
  const sessions = useSessions()
  return (
    <Loaded query={sessions} lines={3}>
      {(all) => <Table caption="Sessions" columns={COLUMNS} rows={all} keyOf={({ id }) => id} />}
    </Loaded>
  )
}

const COLUMNS: readonly Column<SessionResource>[] = [
  {
    id: 'label',
    head: 'Token',
    cell: ({ label, isOwn }) => (isOwn ? `${label} (this one)` : label),
  },
  { id: 'role', head: 'Role', cell: ({ role }) => role },
  { id: 'seen', head: 'Last seen', cell: ({ lastSeenAt }) => <Ago at={lastSeenAt} /> },
  { id: 'expires', head: 'Expires', isMinor: true, cell: ({ expiresAt }) => dateTime(expiresAt) },
  {
    id: 'agent',
    head: 'Browser',
    isMinor: true,
    cell: ({ userAgent }) => <span className="agent">{userAgent}</span>,
  },
  {
    id: 'end',
    head: 'Actions',
    cell: (session) => (session.isOwn ? '' : <EndSession session={session} />),
  },
]

function EndSession({ session }: { readonly session: SessionResource }) {
  const api = useApi()
  const queries = useQueryClient()
  const tell = useToast()
  const end = async () => {
    try {
      await api.send('DELETE', `/sessions/${session.id}`)
      tell({
        title: `Ended the session of ${session.label}`,
        body: 'Recorded in the audit log',
        tone: 'good',
      })
      await queries.invalidateQueries({ queryKey: ['sessions'] })
    } catch (error) {
      tell({
        title: 'The session goes on',
        body: error instanceof Error ? error.message : String(error),
        tone: 'bad',
      })
    }
  }
  return <Button onClick={() => void end()}>End</Button>
}

function SignOut() {
  const api = useApi()
  const queries = useQueryClient()
  const navigate = useNavigate()
  const leave = async () => {
    await api.send('DELETE', '/session').catch(() => undefined)
    queries.clear()
    await navigate('/sign-in')
  }
  return <Button onClick={() => void leave()}>Sign out</Button>
}
