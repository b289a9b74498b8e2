import { Link } from 'react-router'
import type { RunResource } from '../../../shared/protocol/operator/resources.ts'
import { percent } from '../lib/format.ts'
import { RUN_LABELS } from '../lib/labels.ts'
import { useRuns } from '../lib/queries.ts'
import { useParam } from '../lib/use-param.ts'
import { Ago } from '../components/ui/ago.tsx'
import { Badge } from '../components/ui/badge.tsx'
import { Empty } from '../components/ui/empty.tsx'
import { FilterInput } from '../components/ui/field.tsx'
import { Loaded } from '../components/ui/loaded.tsx'
import { Page } from '../components/ui/page.tsx'
import { type Column, Table } from '../components/ui/table.tsx'
import { useSort } from '../lib/use-sort.ts'
import { NewRunLink } from '../components/new-run-link.tsx'

const COLUMNS: readonly Column<RunResource>[] = [
  {
    id: 'run',
    head: 'Run',
    cell: ({ id, number }) => <Link to={`/runs/${id}`}>Run {number}</Link>,
    sortBy: ({ number }) => number,
  },
  {
    id: 'status',
    head: 'Status',
    cell: ({ status }) => <Badge tone={RUN_LABELS[status].tone}>{RUN_LABELS[status].text}</Badge>,
    sortBy: ({ status }) => status,
  },
  {
    id: 'strategy',
    head: 'Strategy',
    cell: ({ settings }) => settings.strategy,
    sortBy: ({ settings }) => settings.strategy,
  },
  {
    id: 'data',
    head: 'Data and model',
    isMinor: true,
    cell: ({ settings }) => `${settings.dataset}, ${settings.model}`,
  },
  { id: 'partition', head: 'Partition', isMinor: true, cell: ({ settings }) => settings.partition },
  {
    id: 'rounds',
    head: 'Rounds',
    isNumber: true,
    cell: ({ rounds, settings }) => `${rounds} of ${settings.rounds}`,
    sortBy: ({ rounds }) => rounds,
  },
  {
    id: 'accuracy',
    head: 'Accuracy',
    isNumber: true,
    cell: ({ accuracy }) => (accuracy === null ? 'none yet' : percent(accuracy)),
    sortBy: ({ accuracy }) => accuracy ?? -1,
  },
  {
    id: 'created',
    head: 'Created',
    isMinor: true,
    cell: ({ createdAt }) => <Ago at={createdAt} />,
    sortBy: ({ createdAt }) => createdAt,
  },
]

export function Runs() {
  const runs = useRuns()
  const [text, setText] = useParam('q')
  const [sort, setSort] = useSort({ by: 'run', isDown: true })
  return (
    <Page title="Runs" actions={<NewRunLink />}>
      <Loaded query={runs}>
        {(all) =>
          all.length === 0 ? (
            <Empty title="There has been no run yet">
              A run takes clients through rounds of training and fusion.{' '}
              <Link to="/runs/new">Create one</Link>.
            </Empty>
          ) : (
            <>
              <div className="toolbar">
                <FilterInput
                  label="Strategy, data or status"
                  value={text}
                  onChange={(event) => setText(event.target.value)}
                />
              </div>
              <Table
                caption="Runs"
                columns={COLUMNS}
                rows={all.filter((run) => matches(run, text))}
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

function matches({ status, settings }: RunResource, text: string): boolean {
  const { strategy, dataset, model } = settings
  return [status, strategy, dataset, model].join(' ').toLowerCase().includes(text.toLowerCase())
}
