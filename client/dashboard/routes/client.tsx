import { Link, useParams } from 'react-router'
import type {
  ClientResource,
  ClientRoundResource,
} from '../../../shared/protocol/operator/resources.ts'
import { dateTime, nats, percent, points } from '../lib/format.ts'
import { useClient, useClientRounds } from '../lib/queries.ts'
import { useLane } from '../lib/use-live.ts'
import { ClientBan } from '../components/client-ban.tsx'
import { Ago } from '../components/ui/ago.tsx'
import { Button } from '../components/ui/button.tsx'
import { Empty } from '../components/ui/empty.tsx'
import { Facts } from '../components/ui/facts.tsx'
import { Loaded } from '../components/ui/loaded.tsx'
import { Page, Section } from '../components/ui/page.tsx'
import { Sparkline } from '../components/ui/sparkline.tsx'
import { type Column, Table } from '../components/ui/table.tsx'
import { ClassHeat } from '../components/class-heat.tsx'
import { StateNow } from './clients.tsx'

/** One client: how it does, what it has, and what it is worth to the others. */
export function Client() {
  const { client: id = '' } = useParams()
  const client = useClient(id)
  return (
    <Page
      title={id}
      aside={client.data && <StateNow client={client.data} />}
      actions={client.data && <ClientBan client={client.data} />}
    >
      <Loaded query={client}>{(found) => <About client={found} />}</Loaded>
      <History client={id} />
    </Page>
  )
}

function About({ client }: { readonly client: ClientResource }) {
  const lane = useLane(client.id)
  const { ban, contribution, roundsAccepted, roundsInvited } = client
  return (
    <>
      {ban !== null && (
        <p className="cut" role="status">
          Banned by {ban.by}, <Ago at={ban.at} />: {ban.reason}
        </p>
      )}
      <Facts
        large
        facts={[
          [
            'Contribution',
            contribution === null ? 'not measured' : points(contribution),
            contribution === null
              ? 'the newest round measured no ensemble without it'
              : contribution >= 0
                ? 'accuracy that the ensemble loses without it'
                : 'the ensemble is better without it',
          ],
          [
            'Rounds accepted',
            `${roundsAccepted} of ${roundsInvited}`,
            roundsInvited === 0 ? '' : percent(roundsAccepted / roundsInvited, 0),
          ],
          [
            'Examples',
            client.numExamples?.toLocaleString('en') ?? 'not told',
            'of its newest update',
          ],
        ]}
      />
      <div className="split even">
        <Section title="Its classes" note="examples, as it shared them">
          {client.classCounts === null ? (
            <p className="note">It has sent no update yet.</p>
          ) : (
            <Classes counts={client.classCounts} />
          )}
        </Section>
        <Section title="Machine">
          <Facts
            facts={[
              ['Version', client.version],
              ['Engine', client.engine],
              ['Last seen', <Ago key="seen" at={client.lastSeenAt} />, dateTime(client.lastSeenAt)],
              [
                'Token',
                <Link key="token" to={`/tokens?q=${encodeURIComponent(client.tokenLabel)}`}>
                  {client.tokenLabel}
                </Link>,
              ],
              ...(lane === undefined || lane.losses.length < 2
                ? []
                : [
                    [
                      'Loss in this round',
                      <span key="loss" className="inline-spark">
                        <Sparkline
                          values={lane.losses}
                          width={140}
                          height={28}
                          label="training loss of this round"
                        />
                        {lane.loss === null ? 'not told' : `${lane.loss.toFixed(3)} nats`}
                      </span>,
                    ] as const,
                  ]),
            ]}
          />
        </Section>
      </div>
    </>
  )
}

function Classes({ counts }: { readonly counts: readonly number[] }) {
  const most = Math.max(...counts, 1)
  return (
    <ul className="classes">
      {counts.map((count, label) => (
        <li key={label}>
          <span>class {label}</span>
          <span className="class-bar" aria-hidden="true">
            <span style={{ width: `${(100 * count) / most}%` }} />
          </span>
          <b>{count.toLocaleString('en')}</b>
          <small>examples</small>
        </li>
      ))}
    </ul>
  )
}

function History({ client }: { readonly client: string }) {
  const rounds = useClientRounds(client)
  return (
    <Section title="History" note="rounds that it had a part in">
      <Loaded query={rounds} lines={4}>
        {({ pages }) => {
          const all = pages.flatMap(({ items }) => items)
          return all.length === 0 ? (
            <Empty title="It has had a part in no round yet" />
          ) : (
            <Table
              caption="Rounds of this client"
              columns={COLUMNS}
              rows={all}
              keyOf={({ run, round }) => `${run} ${round}`}
            />
          )
        }}
      </Loaded>
      {rounds.hasNextPage && (
        <p className="links">
          <Button onClick={() => void rounds.fetchNextPage()} disabled={rounds.isFetchingNextPage}>
            Earlier rounds
          </Button>
        </p>
      )}
    </Section>
  )
}

const notMeasured = (share: number | null) => (share === null ? 'not measured' : percent(share, 2))

const COLUMNS: readonly Column<ClientRoundResource>[] = [
  {
    id: 'round',
    head: 'Round',
    cell: ({ run, round }) => <Link to={`/runs/${run}/rounds/${round}`}>Round {round}</Link>,
  },
  {
    id: 'accuracy',
    head: 'Its network alone',
    isNumber: true,
    cell: ({ accuracy }) => notMeasured(accuracy),
  },
  {
    id: 'loss',
    head: 'Its loss',
    isNumber: true,
    isMinor: true,
    cell: ({ loss }) => (loss === null ? 'not measured' : nats(loss)),
  },
  {
    id: 'evaluation',
    head: 'Published model on its data',
    isNumber: true,
    cell: ({ evaluation }) => (evaluation === null ? 'not told' : percent(evaluation, 2)),
  },
  {
    id: 'examples',
    head: 'Examples',
    isNumber: true,
    isMinor: true,
    cell: ({ numExamples }) => numExamples.toLocaleString('en'),
  },
  {
    id: 'classes',
    head: 'Classes',
    isMinor: true,
    cell: ({ classCounts }) => <ClassHeat counts={classCounts ?? []} />,
  },
]
