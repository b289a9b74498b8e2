import type { RunId } from '../../../shared/ids.ts'
import type { ModelResource } from '../../../shared/protocol/operator/resources.ts'
import { bytes, nats, percent, shortHash } from '../lib/format.ts'
import { CANDIDATE_LABELS } from '../lib/labels.ts'
import { useModels, useRuns } from '../lib/queries.ts'
import { useLive } from '../lib/use-live.ts'
import { useParam } from '../lib/use-param.ts'
import { Link } from 'react-router'
import { Confirm } from '../components/confirm.tsx'
import { ModelComparison } from '../components/model-comparison.tsx'
import { Ago } from '../components/ui/ago.tsx'
import { Button } from '../components/ui/button.tsx'
import { Badge } from '../components/ui/badge.tsx'
import { Empty } from '../components/ui/empty.tsx'
import { Hash } from '../components/ui/hash.tsx'
import { Loaded } from '../components/ui/loaded.tsx'
import { Page } from '../components/ui/page.tsx'
import { type Column, Table } from '../components/ui/table.tsx'

/** Every published model: compare two, take one home, or go back to one. */
export function Models() {
  const [run, setRun] = useParam('run')
  const models = useModels(run === '' ? {} : { run })
  const runs = useRuns()
  const [a, setA] = useParam('a')
  const [b, setB] = useParam('b')
  const numbers = new Map(runs.data?.map(({ id, number }) => [id, number]))
  const pick = (sha256: string) => {
    if (a === sha256) setA('')
    else if (b === sha256) setB('')
    else if (a === '') setA(sha256)
    else setB(sha256)
  }
  return (
    <Page
      title="Models"
      lead={
        <p>
          What each round ended with; one that kept the old model has none of its own to compare.
          Mark two to see them beside each other.
        </p>
      }
    >
      {a !== '' && b !== '' && <ModelComparison a={a} b={b} />}
      {(a === '') !== (b === '') && (
        <p className="note">Mark another one to compare it with {shortHash(a + b)}.</p>
      )}
      <Loaded query={models}>
        {({ pages }) => {
          const all = pages.flatMap(({ items }) => items)
          if (all.length === 0 && run === '')
            return (
              <Empty title="No model has been published yet">
                The first round that ends well publishes one.
              </Empty>
            )
          return (
            <>
              <div className="toolbar">
                <label className="filter">
                  <span>Run</span>
                  <select value={run} onChange={(event) => setRun(event.target.value)}>
                    <option value="">all runs</option>
                    {runs.data?.map(({ id, number }) => (
                      <option key={id} value={id}>
                        Run {number}
                      </option>
                    ))}
                  </select>
                </label>
              </div>
              <Table
                caption="Models"
                columns={columnsOf(all, { numbers, picked: [a, b], pick })}
                rows={all}
                keyOf={({ run: of, round }) => `${of} ${round}`}
              />
              {models.hasNextPage && (
                <p className="links">
                  <Button
                    onClick={() => void models.fetchNextPage()}
                    disabled={models.isFetchingNextPage}
                  >
                    Earlier models
                  </Button>
                </p>
              )}
            </>
          )
        }}
      </Loaded>
    </Page>
  )
}

interface Look {
  readonly numbers: ReadonlyMap<RunId, number>
  readonly picked: readonly string[]
  readonly pick: (sha256: string) => void
}

function columnsOf(
  all: readonly ModelResource[],
  { numbers, picked, pick }: Look,
): Column<ModelResource>[] {
  const newest = Math.max(...all.map(({ round }) => round))
  return [
    {
      id: 'model',
      head: 'Model',
      cell: ({ run, round }) => (
        <Link to={`/runs/${run}/rounds/${round}`}>
          Run {numbers.get(run) ?? '?'}, round {round}
        </Link>
      ),
    },
    {
      id: 'accuracy',
      head: 'Accuracy',
      isNumber: true,
      cell: ({ accuracy }) => percent(accuracy, 2),
    },
    { id: 'loss', head: 'Loss', isNumber: true, isMinor: true, cell: ({ loss }) => nats(loss) },
    {
      id: 'state',
      head: 'State',
      cell: ({ isGlobal, candidate }) =>
        isGlobal ? <Badge tone="good">in use</Badge> : CANDIDATE_LABELS[candidate],
    },
    { id: 'sha', head: 'SHA-256', isMinor: true, cell: ({ sha256 }) => <Hash value={sha256} /> },
    {
      id: 'size',
      head: 'Size',
      isNumber: true,
      isMinor: true,
      cell: ({ sizeBytes }) => bytes(sizeBytes),
    },
    {
      id: 'created',
      head: 'Published',
      isMinor: true,
      cell: ({ createdAt }) => (createdAt === null ? 'unknown' : <Ago at={createdAt} />),
    },
    {
      id: 'compare',
      head: 'Compare',
      cell: ({ sha256, round, candidate }) =>
        candidate === 'kept' ? null : (
          <input
            type="checkbox"
            aria-label={`Compare the model of round ${round}`}
            checked={picked.includes(sha256)}
            onChange={() => pick(sha256)}
          />
        ),
    },
    {
      id: 'download',
      head: 'Download',
      cell: (model) => <Downloads model={model} />,
    },
    {
      id: 'use',
      head: 'Next round',
      cell: (model) => <UseModel model={model} isOlder={model.round < newest} />,
    },
  ]
}

function Downloads({ model: { sha256, round } }: { readonly model: ModelResource }) {
  const of = <span className="visually-hidden"> of round {round}</span>
  return (
    <span className="links">
      <a href={`/api/v1/models/${sha256}/safetensors`} download>
        safetensors{of}
      </a>
      <a
        href={`/api/v1/models/${sha256}/tfjs`}
        download
        title="TensorFlow.js folder, as a zip file"
      >
        tf.js{of}
      </a>
    </span>
  )
}

function UseModel({
  model,
  isOlder,
}: {
  readonly model: ModelResource
  readonly isOlder: boolean
}) {
  const { sha256, round, run, isGlobal, accuracy } = model
  const current = useLive(({ federation }) => federation?.run ?? null)
  const action = isOlder ? 'Roll back' : 'Publish'
  const refusal = isGlobal
    ? 'The next round starts from it already.'
    : current === run
      ? null
      : 'Its run does not go on: there is no next round to start from it.'
  return (
    <Confirm
      action={action}
      needs="operator"
      refusal={refusal}
      title={isOlder ? `Roll back to round ${round}?` : `Publish the model of round ${round}?`}
      path={`/models/${sha256}/actions`}
      body={{ action: isOlder ? 'roll-back' : 'publish', run }}
      done={isOlder ? `Rolled back to round ${round}` : `Published the model of round ${round}`}
    >
      The next round of its run starts from model {shortHash(sha256)} ({percent(accuracy, 2)}).
      Later models stay in the list.
    </Confirm>
  )
}
