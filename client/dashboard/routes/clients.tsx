import { Link } from 'react-router'
import type { ClientResource } from '../../../shared/protocol/operator/resources.ts'
import { percent, points } from '../lib/format.ts'
import { STATE_LABELS } from '../lib/labels.ts'
import { useClients } from '../lib/queries.ts'
import { useLane, useLive } from '../lib/use-live.ts'
import { useParam } from '../lib/use-param.ts'
import { useSort } from '../lib/use-sort.ts'
import { Ago } from '../components/ui/ago.tsx'
import { Badge } from '../components/ui/badge.tsx'
import { Empty } from '../components/ui/empty.tsx'
import { FilterInput } from '../components/ui/field.tsx'
import { Loaded } from '../components/ui/loaded.tsx'
import { Page } from '../components/ui/page.tsx'
import { Segmented } from '../components/ui/segmented.tsx'
import { type Column, Table } from '../components/ui/table.tsx'

const FILTERS = [
  ['all', 'All'],
  ['connected', 'Connected'],
  ['away', 'Away'],
  ['banned', 'Banned'],
] as const

export function Clients() {
  const clients = useClients()
  const version = useLive(({ federation }) => federation?.version ?? null)
  const [text, setText] = useParam('q')
  const [show, setShow] = useParam('show')
  const [sort, setSort] = useSort({ by: 'client', isDown: false })
  return (
    <Page title="Clients">
      <Loaded query={clients}>
        {(all) =>
          all.length === 0 ? (
            <Empty title="No client has ever been here">
              <p>
                Make a <Link to="/tokens">join token</Link>, then start{' '}
                <code>graft client --server {location.origin} --token … --stay</code> on each
                machine.
              </p>
            </Empty>
          ) : (
            <>
              <div className="toolbar">
                <FilterInput
                  label="Client, engine or token"
                  value={text}
                  onChange={(event) => setText(event.target.value)}
                />
                <Segmented
                  label="Which clients"
                  value={FILTERS.find(([one]) => one === show)?.[0] ?? 'all'}
                  choices={FILTERS}
                  onChange={(next) => setShow(next === 'all' ? '' : next)}
                />
              </div>
              <Table
                caption="Clients"
                columns={columnsOf(version)}
                rows={all.filter((client) => isShown(client, show) && matches(client, text))}
                keyOf={({ id }) => id}
                sort={sort}
                onSort={setSort}
              />
            </>
          )
        }
      </Loaded>
    </Page>
  )
}

function isShown({ isConnected, ban }: ClientResource, show: string): boolean {
  if (show === 'connected') return isConnected
  if (show === 'away') return !isConnected && ban === null
  return show === 'banned' ? ban !== null : true
}

function matches({ id, engine, tokenLabel }: ClientResource, text: string): boolean {
  return [id, engine, tokenLabel].join(' ').toLowerCase().includes(text.toLowerCase())
}

function columnsOf(version: string | null): Column<ClientResource>[] {
  return [
    {
      id: 'client',
      head: 'Client',
      cell: ({ id }) => <Link to={`/clients/${id}`}>{id}</Link>,
      sortBy: ({ id }) => id,
    },
    {
      id: 'state',
      head: 'State',
      cell: (client) => <StateNow client={client} />,
      sortBy: ({ state }) => state,
    },
    {
      id: 'version',
      head: 'Version',
      isMinor: true,
      cell: (client) =>
        version !== null && client.version !== version ? (
          <Badge tone="warn">{client.version}</Badge>
        ) : (
          client.version
        ),
      sortBy: (client) => client.version,
    },
    {
      id: 'engine',
      head: 'Engine',
      isMinor: true,
      cell: ({ engine }) => engine,
      sortBy: ({ engine }) => engine,
    },
    {
      id: 'examples',
      head: 'Examples',
      isNumber: true,
      cell: ({ numExamples }) => numExamples?.toLocaleString('en') ?? 'not told',
      sortBy: ({ numExamples }) => numExamples ?? -1,
    },
    {
      id: 'contribution',
      head: 'Contribution',
      isNumber: true,
      cell: ({ contribution }) => (contribution === null ? 'not measured' : points(contribution)),
      sortBy: ({ contribution }) => contribution ?? -1,
    },
    {
      id: 'accepted',
      head: 'Rounds accepted',
      isNumber: true,
      isMinor: true,
      cell: ({ roundsAccepted, roundsInvited }) =>
        roundsInvited === 0
          ? 'none yet'
          : `${roundsAccepted} of ${roundsInvited} (${percent(roundsAccepted / roundsInvited, 0)})`,
      sortBy: ({ roundsAccepted, roundsInvited }) => roundsAccepted / Math.max(1, roundsInvited),
    },
    {
      id: 'token',
      head: 'Token',
      isMinor: true,
      cell: ({ tokenLabel }) => tokenLabel,
      sortBy: ({ tokenLabel }) => tokenLabel,
    },
    {
      id: 'seen',
      head: 'Last seen',
      isMinor: true,
      cell: ({ lastSeenAt }) => <Ago at={lastSeenAt} />,
      sortBy: ({ lastSeenAt }) => lastSeenAt,
    },
  ]
}

/** What the feed says of it, else what the list said. */
export function StateNow({ client }: { readonly client: ClientResource }) {
  const lane = useLane(client.id)
  if (client.ban !== null) return <Badge tone="bad">banned</Badge>
  const { text, tone } = STATE_LABELS[lane?.state ?? client.state]
  return <Badge tone={tone}>{text}</Badge>
}
