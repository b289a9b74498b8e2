import { Link, useParams } from 'react-router'
import type { RoundReport } from '../../../shared/protocol/run-report.ts'
import { CONTROLS } from '../lib/curves.ts'
import { bytes, percent, seconds } from '../lib/format.ts'
import { classChanges } from '../lib/forgetting.ts'
import { CANDIDATE_LABELS } from '../lib/labels.ts'
import { useRound, useRounds, useRun } from '../lib/queries.ts'
import { useLive } from '../lib/use-live.ts'
import { ClassBars } from '../components/class-bars.tsx'
import { ClassHeat } from '../components/class-heat.tsx'
import { Lanes } from '../components/lanes.tsx'
import { NeedsAttention, Present } from '../components/present.tsx'
import { RoundSteps } from '../components/round-steps.tsx'
import { Empty } from '../components/ui/empty.tsx'
import { Facts } from '../components/ui/facts.tsx'
import { Failed } from '../components/ui/failure.tsx'
import { Loaded } from '../components/ui/loaded.tsx'
import { Page, Section } from '../components/ui/page.tsx'
import { type DotRow, RangeDots } from '../components/ui/range-dots.tsx'

/** One round: who takes part while it goes on, what came of it when it is over. */
export function Round() {
  const { run = '', round: word = '' } = useParams()
  const number = Number(word)
  const round = useRound(run, number)
  const rounds = useRounds(run)
  const live = useLive(({ federation }) => federation?.round ?? null)
  const isLive = live?.run === run && live.round === number && live.phase !== 'published'
  const all = rounds.data ?? []
  return (
    <Page
      title={`Round ${word}`}
      aside={<RunLink run={run} />}
      actions={
        <RoundSteps
          run={run}
          round={number}
          last={Math.max(all.at(-1)?.round ?? 0, live?.run === run ? live.round : 0)}
        />
      }
    >
      {isLive ? (
        <>
          <Present rounds={all} run={undefined} />
          <NeedsAttention rounds={all} />
          <Section title="Clients">
            <Lanes />
          </Section>
        </>
      ) : (
        <Loaded query={round} lines={12}>
          {({ report, failure }) =>
            report !== null ? (
              <Result run={run} report={report} changes={classChanges(all, number)} />
            ) : failure !== null ? (
              <Failed failure={failure} />
            ) : (
              <Empty title="Nothing is known of this round" />
            )
          }
        </Loaded>
      )}
    </Page>
  )
}

function RunLink({ run }: { readonly run: string }) {
  const { data } = useRun(run)
  return <Link to={`/runs/${run}`}>{data === undefined ? 'its run' : `Run ${data.number}`}</Link>
}

type Report = Omit<RoundReport, 'ledger'>

interface ResultProps {
  readonly run: string
  readonly report: Report
  readonly changes: ReturnType<typeof classChanges>
}

function Result({ run, report, changes }: ResultProps) {
  const { published, cohort, uploads, seconds: spent, bytes: sent, round } = report
  const total = Object.values(spent).reduce((a, b) => a + b, 0)
  return (
    <>
      <p className="verdict">
        <b>{published.isNew ? 'A new model was published.' : 'The old model was kept.'}</b>{' '}
        {published.reason}{' '}
        <Link to={`/runs/${run}/rounds/${round}/fusion`}>Whose neurons make it</Link>
      </p>
      <Facts
        large
        facts={[
          [
            'Accuracy',
            percent(published.accuracy, 2),
            `${CANDIDATE_LABELS[published.candidate]}, loss ${published.loss.toFixed(3)} nats`,
          ],
          [
            'Updates',
            `${uploads} of ${cohort}`,
            uploads < cohort ? `${cohort - uploads} missing at the end` : 'all of the cohort',
          ],
          ['Time', seconds(total), `${seconds(spent.train)} of it training`],
          ['Traffic', bytes(sent.up + sent.down), `${bytes(sent.up)} up, ${bytes(sent.down)} down`],
          [
            'Tuning',
            `${report.tuned.epochs} epochs`,
            report.tuned.isTuned ? 'of the best kept' : 'none helped',
          ],
        ]}
      />
      <div className="split even">
        <Section title="Candidates and controls" note="accuracy on the test split">
          <RangeDots
            title="Candidates and controls"
            rows={candidateRows(report)}
            format={(value) => percent(value, 2)}
            tick={(value) => percent(value, 0)}
            bounds={[0, 1]}
          />
          {report.fused.reason !== undefined && <p className="note">{report.fused.reason}</p>}
        </Section>
        {changes.length > 0 && (
          <Section title="Accuracy by class" note="of the published model">
            <ClassBars changes={changes} />
          </Section>
        )}
      </div>
      <Parents report={report} />
    </>
  )
}

/** From what is to what it has to beat, each by its accuracy. */
function candidateRows({ fused, tuned, published, controls, parents }: Report): DotRow[] {
  const measured = parents.flatMap(({ accuracy }) => accuracy ?? [])
  const best = Math.max(...measured)
  const rows: DotRow[] = [
    { label: 'Published', value: published.accuracy, colour: 'var(--accent)', isMain: true },
    { label: 'Fused + tuned', value: tuned.accuracy, colour: 'var(--accent)' },
    { label: 'Fused', value: fused.accuracy, colour: 'var(--accent)' },
    ...CONTROLS.flatMap(({ name, label, colour }) => {
      const score = controls[name]
      return score === null ? [] : [{ label: capitalised(label), value: score.accuracy, colour }]
    }),
    ...(measured.length === 0
      ? []
      : [
          {
            label: 'Best parent',
            value: best,
            colour: 'var(--rest-strong)',
            members: measured.length > 60 ? [] : measured,
          },
        ]),
  ]
  return rows
}

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

function Parents({ report }: { readonly report: Report }) {
  const own = new Map(report.evaluations?.map(({ client, accuracy }) => [client, accuracy]))
  const most = Math.max(...report.parents.map(({ numExamples }) => numExamples))
  return (
    <Section
      title="Clients"
      note="what they brought, and how the published model does on their own data"
    >
      <ol className="parents">
        {report.parents.map(({ client, accuracy, numExamples, classCounts }) => {
          const evaluated = own.get(client)
          return (
            <li key={client}>
              <Link to={`/clients/${client}`}>{client}</Link>
              <ClassHeat counts={classCounts ?? []} />
              <span className="parents-bar" aria-hidden="true">
                <span style={{ width: `${(100 * numExamples) / most}%` }} />
              </span>
              <span>{numExamples.toLocaleString('en')} examples</span>
              <span>{accuracy === undefined ? 'not measured' : `${percent(accuracy)} alone`}</span>
              <span>{evaluated === undefined ? '' : `${percent(evaluated)} on its data`}</span>
            </li>
          )
        })}
      </ol>
    </Section>
  )
}
