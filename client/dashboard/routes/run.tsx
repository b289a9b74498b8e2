import { Link, useParams } from 'react-router'
import type { RoundSummary, RunResource } from '../../../shared/protocol/operator/resources.ts'
import { bytes, dateTime, percent, points, seconds } from '../lib/format.ts'
import { CANDIDATE_LABELS, RUN_LABELS } from '../lib/labels.ts'
import { bestControl } from '../lib/curves.ts'
import { useRounds, useRun } from '../lib/queries.ts'
import { useSort } from '../lib/use-sort.ts'
import { AccuracyChart, LossChart } from '../components/curves.tsx'
import { RunActions } from '../components/run-actions.tsx'
import { BytesBars, SecondsBars } from '../components/round-bars.tsx'
import { Badge } from '../components/ui/badge.tsx'
import { Empty } from '../components/ui/empty.tsx'
import { type Fact, Facts } from '../components/ui/facts.tsx'
import { Failed } from '../components/ui/failure.tsx'
import { Loaded } from '../components/ui/loaded.tsx'
import { Page, Section } from '../components/ui/page.tsx'
import { type Column, Table } from '../components/ui/table.tsx'

export function Run() {
  const { run: id = '' } = useParams()
  const run = useRun(id)
  const rounds = useRounds(id)
  const data = run.data
  return (
    <Page
      title={data === undefined ? 'Run' : `Run ${data.number}`}
      aside={
        data && <Badge tone={RUN_LABELS[data.status].tone}>{RUN_LABELS[data.status].text}</Badge>
      }
      lead={
        data && (
          <p>{`${data.settings.strategy} on ${data.settings.dataset}, created ${dateTime(data.createdAt)}`}</p>
        )
      }
      actions={data && <RunActions run={data} />}
    >
      <Loaded query={run}>
        {(found) => (
          <>
            {found.failure !== null && <Failed failure={found.failure} />}
            <Loaded query={rounds} lines={10}>
              {(all) => <Rounds run={found} rounds={all} />}
            </Loaded>
            <Section title="Settings" note="everything that decides the result">
              <Facts facts={settingsOf(found)} />
            </Section>
          </>
        )}
      </Loaded>
    </Page>
  )
}

function Rounds({
  run,
  rounds,
}: {
  readonly run: RunResource
  readonly rounds: readonly RoundSummary[]
}) {
  const [sort, setSort] = useSort({ by: 'round', isDown: true })
  if (rounds.length === 0)
    return (
      <Empty title="No round of this run is over">Its curves stand here as soon as one is.</Empty>
    )
  return (
    <>
      <div className="split">
        <Section title="Accuracy" note="on the test split, by round" className="wide">
          <AccuracyChart run={run.id} rounds={rounds} height={300} />
        </Section>
        <Section title="Loss" note="on the test split, in nats">
          <LossChart run={run.id} rounds={rounds} height={300} />
        </Section>
      </div>
      <Section title="Time and traffic">
        <div className="pair">
          <SecondsBars rounds={rounds} />
          <BytesBars rounds={rounds} />
        </div>
      </Section>
      <Section
        title="Rounds"
        note={rounds.length > MOST ? `the ${MOST} first in this order` : undefined}
      >
        <Table
          caption="Rounds"
          columns={columnsOf(run.id)}
          rows={newestFirst(rounds, sort.isDown)}
          keyOf={({ round }) => String(round)}
          sort={sort}
          onSort={setSort}
        />
      </Section>
    </>
  )
}

const MOST = 100

/** A long run is a long table: what one looks for is at one of its ends. */
function newestFirst(rounds: readonly RoundSummary[], isDown: boolean): readonly RoundSummary[] {
  return isDown ? rounds.slice(-MOST) : rounds.slice(0, MOST)
}

function columnsOf(run: string): Column<RoundSummary>[] {
  return [
    {
      id: 'round',
      head: 'Round',
      cell: ({ round }) => <Link to={`/runs/${run}/rounds/${round}`}>Round {round}</Link>,
      sortBy: ({ round }) => round,
    },
    {
      id: 'accuracy',
      head: 'Accuracy',
      isNumber: true,
      cell: ({ published }) => percent(published.accuracy, 2),
      sortBy: ({ published }) => published.accuracy,
    },
    {
      id: 'published',
      head: 'Published',
      cell: ({ published }) => CANDIDATE_LABELS[published.candidate],
    },
    {
      id: 'fused',
      head: 'Fused',
      isNumber: true,
      isMinor: true,
      cell: ({ fused }) => percent(fused.accuracy, 2),
      sortBy: ({ fused }) => fused.accuracy,
    },
    {
      id: 'control',
      head: 'Against best control',
      isNumber: true,
      cell: (one) => {
        const control = bestControl(one)
        return control === null ? 'not measured' : points(one.published.accuracy - control.accuracy)
      },
      sortBy: (one) => one.published.accuracy - (bestControl(one)?.accuracy ?? 1),
    },
    {
      id: 'uploads',
      head: 'Updates',
      isNumber: true,
      isMinor: true,
      cell: ({ uploads, cohort }) => `${uploads} of ${cohort}`,
    },
    {
      id: 'seconds',
      head: 'Time',
      isNumber: true,
      isMinor: true,
      cell: (one) => seconds(sum(one.seconds)),
      sortBy: (one) => sum(one.seconds),
    },
    {
      id: 'bytes',
      head: 'Bytes',
      isNumber: true,
      isMinor: true,
      cell: (one) => bytes(sum(one.bytes)),
      sortBy: (one) => sum(one.bytes),
    },
    {
      id: 'fusion',
      head: 'Fusion',
      cell: ({ round }) => (
        <Link to={`/runs/${run}/rounds/${round}/fusion`}>
          picture<span className="visually-hidden"> of the fusion of round {round}</span>
        </Link>
      ),
    },
  ]
}

const sum = (values: Readonly<Record<string, number>>): number =>
  Object.values(values).reduce((a, b) => a + b, 0)

function settingsOf({ settings }: RunResource): Fact[] {
  const { training, tune } = settings
  return [
    ['Data set', settings.dataset],
    ['Model', settings.model],
    ['Partition', settings.partition],
    ['Strategy', settings.strategy],
    ['Cohort', `${settings.clients} clients`],
    ['Quorum', `${settings.quorum} updates`],
    ...(settings.goal === undefined ? [] : [['Goal', `${settings.goal} updates`] as const]),
    ['Deadline', seconds(settings.deadlineSeconds)],
    ['Rounds', `at most ${settings.rounds}`],
    ...(settings.targetAccuracy === undefined
      ? []
      : [['Target', percent(settings.targetAccuracy)] as const]),
    [
      'Local training',
      `${training.epochs} epochs, ${training.optimizer}, step ${training.learningRate}, batch ${training.batchSize}`,
    ],
    ['Scores', settings.scorer],
    ['Proxy set', `${settings.proxy} examples${settings.rehearse ? ', rehearsed' : ''}`],
    ['Tuning', `${tune.mode}, at most ${tune.epochs} epochs, step ${tune.learningRate}`],
    ['Publishing', settings.publish ?? 'better'],
    ['Outlying updates', settings.outliers ?? 'report'],
    ['Encoding', settings.encoding ?? 'float32'],
    ['Seed', String(settings.seed)],
  ]
}
