import { Link, useParams } from 'react-router'
import type { LedgerReport } from '../../../shared/protocol/ledger.ts'
import type { RoundReport } from '../../../shared/protocol/run-report.ts'
import { counted, percent, points } from '../lib/format.ts'
import { useLedger, useRound, useRounds } from '../lib/queries.ts'
import { DiversityMatrices } from '../components/diversity-matrices.tsx'
import { FusionPicture } from '../components/fusion-picture.tsx'
import { RoundSteps } from '../components/round-steps.tsx'
import { Empty } from '../components/ui/empty.tsx'
import { Loaded } from '../components/ui/loaded.tsx'
import { Page, Section } from '../components/ui/page.tsx'
import { RangeDots } from '../components/ui/range-dots.tsx'

type Report = Omit<RoundReport, 'ledger'>

/** The ledger of a round as a picture. */
export function Fusion() {
  const { run = '', round: word = '' } = useParams()
  const number = Number(word)
  const ledger = useLedger(run, number)
  const round = useRound(run, number)
  const rounds = useRounds(run)
  const report = round.data?.report ?? null
  return (
    <Page
      title={`Fusion of round ${word}`}
      aside={<Link to={`/runs/${run}/rounds/${word}`}>the whole round</Link>}
      lead={ledger.data?.ledger != null && <Lead ledger={ledger.data.ledger} report={report} />}
      actions={
        <RoundSteps
          run={run}
          round={number}
          last={rounds.data?.at(-1)?.round ?? 0}
          page="/fusion"
        />
      }
    >
      <Loaded query={ledger} lines={14}>
        {({ ledger: found }) =>
          found === null || found.groups.length === 0 ? (
            <Empty title="There is no ledger of this round">
              It is not over, it failed, or its model has no hidden neurons.
            </Empty>
          ) : (
            <FusionPicture ledger={found} />
          )
        }
      </Loaded>
      {report !== null && <Forecast report={report} />}
      {report?.diversity !== undefined && (
        <Section
          title="How different the parents were"
          note="before they were fused; the stronger the colour, the closer to 1"
        >
          <DiversityMatrices diversity={report.diversity} />
        </Section>
      )}
    </Page>
  )
}

function Lead({
  ledger,
  report,
}: {
  readonly ledger: LedgerReport
  readonly report: Report | null
}) {
  const neurons = ledger.groups.reduce((sum, group) => sum + group.neurons.length, 0)
  return (
    <p>
      {counted(neurons, 'neuron')} of {counted(ledger.parents.length, 'client')}, level by level
      from the input down.
      {report?.published.candidate === 'kept' &&
        ' The old model was kept: these are the neurons of the round that it came from.'}
    </p>
  )
}

/** What was foreseen of the fusion, and what came. */
function Forecast({ report }: { readonly report: Report }) {
  const { controls, tuned, parents, diversity } = report
  const forecast = diversity?.forecast ?? null
  const rival = controls.bestParentTuned
  const measured = parents.flatMap(({ accuracy }) => accuracy ?? [])
  const isBetter = rival !== null && tuned.accuracy > rival.accuracy
  return (
    <Section title="Forecast and outcome">
      <div className="forecast">
        <div>
          {forecast === null ? (
            <p>Nothing was foreseen: that takes two parents and a proxy set.</p>
          ) : (
            <>
              <p className="big">
                {percent(forecast.probability, 0)}{' '}
                <small>foreseen that fusion beats the best parent, tuned alike</small>
              </p>
              <div className="chance" aria-hidden="true">
                <span style={{ width: percent(forecast.probability).replace('\u202f', '') }} />
                <i />
              </div>
            </>
          )}
          <p className="outcome">
            {rival === null ? (
              'The best parent was not tuned in this round: nobody knows.'
            ) : (
              <>
                <b className={isBetter ? 'good' : 'bad'}>{isBetter ? 'It did' : 'It did not'}</b>,
                by {points(tuned.accuracy - rival.accuracy)}
                {forecast !== null &&
                  (forecast.isDiverseEnough === isBetter ? ': as foreseen.' : ': not as foreseen.')}
              </>
            )}
          </p>
        </div>
        <RangeDots
          title="Accuracy of fusion and of the best parent"
          format={(value) => percent(value, 2)}
          tick={(value) => percent(value, 0)}
          bounds={[0, 1]}
          rows={[
            {
              label: 'Fused + tuned',
              value: tuned.accuracy,
              colour: 'var(--accent)',
              isMain: true,
            },
            { label: 'Fused', value: report.fused.accuracy, colour: 'var(--accent)' },
            ...(rival === null
              ? []
              : [
                  { label: `${rival.parent} + tuning`, value: rival.accuracy, colour: 'var(--s1)' },
                ]),
            ...(measured.length === 0
              ? []
              : [
                  {
                    label: 'Best parent',
                    value: Math.max(...measured),
                    colour: 'var(--rest-strong)',
                    members: measured.length > 60 ? [] : measured,
                  },
                ]),
          ]}
        />
      </div>
    </Section>
  )
}
