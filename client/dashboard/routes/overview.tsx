import { useMemo } from 'react'
import { Link } from 'react-router'
import { bestControl } from '../lib/curves.ts'
import { nats, percent, points, shortHash } from '../lib/format.ts'
import { useRounds, useRuns } from '../lib/queries.ts'
import { useLive } from '../lib/use-live.ts'
import { NewRunLink } from '../components/new-run-link.tsx'
import { RunActions } from '../components/run-actions.tsx'
import { AccuracyChart, LossChart } from '../components/curves.tsx'
import { EventList } from '../components/event-list.tsx'
import { NeedsAttention, Present, StateBar } from '../components/present.tsx'
import { BytesBars, SecondsBars } from '../components/round-bars.tsx'
import { Empty } from '../components/ui/empty.tsx'
import { Facts } from '../components/ui/facts.tsx'
import { Loaded } from '../components/ui/loaded.tsx'
import { Page, Section } from '../components/ui/page.tsx'

/** What the federation does, whether it gets better, and who holds it up. */
export function Overview() {
  const federation = useLive((state) => state.federation)
  const events = useLive((state) => state.events)
  const runs = useRuns()
  const newest = runs.data?.toSorted((a, b) => b.number - a.number)[0]
  const run = runs.data?.find(({ id }) => id === federation?.run) ?? newest
  const rounds = useRounds(run?.id ?? null)
  const recent = useMemo(() => events.slice(0, 9), [events])
  const done = rounds.data ?? []
  return (
    <Page
      title="Overview"
      aside={run && <Link to={`/runs/${run.id}`}>Run {run.number}</Link>}
      lead={
        run && (
          <p>
            {run.settings.strategy} on {run.settings.dataset}, {run.settings.model},{' '}
            {run.settings.partition}
          </p>
        )
      }
      actions={
        <>
          {run && <RunActions run={run} />}
          {federation?.run === null && <NewRunLink />}
        </>
      }
    >
      <Present rounds={done} run={run} />
      <NeedsAttention rounds={done} />
      <Loaded query={runs} lines={10}>
        {() =>
          run === undefined ? (
            <Empty title="There has been no run yet">
              <p>
                Connect clients with{' '}
                <code>graft client --server {location.origin} --token … --stay</code>, then{' '}
                <Link to="/runs/new">create a run</Link>.
              </p>
            </Empty>
          ) : done.length === 0 ? (
            <Empty title="No round is over yet">
              Accuracy and loss stand here, beside what a model has to beat, as soon as the first
              round has published one.
            </Empty>
          ) : (
            <>
              <Headline rounds={done} />
              <div className="split">
                <Section title="Accuracy" note="on the test split, by round" className="wide">
                  <AccuracyChart run={run.id} rounds={done} height={330} />
                </Section>
                <Section title="Loss" note="on the test split, in nats">
                  <LossChart run={run.id} rounds={done} height={330} />
                </Section>
              </div>
            </>
          )
        }
      </Loaded>
      <div className="thirds">
        <Section title="Clients">
          <StateBar />
        </Section>
        {done.length > 0 && (
          <Section title="Time and traffic" className="wide">
            <div className="pair">
              <SecondsBars rounds={done} />
              <BytesBars rounds={done} />
            </div>
          </Section>
        )}
      </div>
      <Section title="Last events">
        <EventList events={recent} />
      </Section>
      {federation !== null && (
        <p className="note foot">
          Graft {federation.version}, engine {federation.engine}
          {federation.globalModel !== null &&
            `, next round starts from model ${shortHash(federation.globalModel)}`}
        </p>
      )}
    </Page>
  )
}

type Rounds = NonNullable<ReturnType<typeof useRounds>['data']>

function Headline({ rounds }: { readonly rounds: Rounds }) {
  const last = rounds.at(-1)!
  const before = rounds.at(-2)
  const control = bestControl(last)
  const best = rounds.reduce((a, b) => (b.published.accuracy > a.published.accuracy ? b : a))
  const { accuracy, loss } = last.published
  return (
    <Facts
      large
      facts={[
        [
          'Accuracy',
          percent(accuracy),
          before === undefined
            ? 'first round'
            : `${points(accuracy - before.published.accuracy)} on the round before`,
        ],
        ...(control === null
          ? []
          : [
              [
                `Best control`,
                percent(control.accuracy),
                `${control.label}; ${points(accuracy - control.accuracy)} for us`,
              ] as const,
            ]),
        ...(last.controls.ensemble === null
          ? []
          : [
              ['Ensemble', percent(last.controls.ensemble), 'of all parents, the ceiling'] as const,
            ]),
        ['Best so far', percent(best.published.accuracy), `round ${best.round}`],
        ['Loss', nats(loss), before === undefined ? '' : `${nats(before.published.loss)} before`],
      ]}
    />
  )
}
