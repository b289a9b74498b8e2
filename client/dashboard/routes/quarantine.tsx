import { Link } from 'react-router'
import type { QuarantinedResource } from '../../../shared/protocol/operator/resources.ts'
import { bytes } from '../lib/format.ts'
import { useQuarantine } from '../lib/queries.ts'
import { Confirm } from '../components/confirm.tsx'
import { Ago } from '../components/ui/ago.tsx'
import { Empty } from '../components/ui/empty.tsx'
import { Loaded } from '../components/ui/loaded.tsx'
import { Page } from '../components/ui/page.tsx'
import { type Column, Table } from '../components/ui/table.tsx'

const COLUMNS: readonly Column<QuarantinedResource>[] = [
  {
    id: 'client',
    head: 'Client',
    cell: ({ client }) => <Link to={`/clients/${client}`}>{client}</Link>,
  },
  { id: 'round', head: 'Round', isNumber: true, cell: ({ round }) => round },
  {
    id: 'problem',
    head: 'Why',
    cell: ({ problem, code }) => (
      <span className="why">
        {problem} <code>{code}</code>
      </span>
    ),
  },
  {
    id: 'size',
    head: 'Size',
    isNumber: true,
    isMinor: true,
    cell: ({ sizeBytes }) => bytes(sizeBytes),
  },
  { id: 'at', head: 'Set aside', isMinor: true, cell: ({ at }) => <Ago at={at} /> },
  { id: 'actions', head: 'Actions', cell: (upload) => <Actions upload={upload} /> },
]

/** Updates that were set aside: none of them reached a fusion. */
export function Quarantine() {
  const uploads = useQuarantine()
  return (
    <Page
      title="Quarantine"
      lead={
        <p>
          Updates that cannot be right. They are kept for a look and never reach a fusion by
          themselves.
        </p>
      }
    >
      <Loaded query={uploads}>
        {(all) =>
          all.length === 0 ? (
            <Empty title="Nothing is set aside">
              Every update so far had the right tensors and finite numbers.
            </Empty>
          ) : (
            <Table
              caption="Updates set aside"
              columns={COLUMNS}
              rows={all}
              keyOf={({ id }) => id}
            />
          )
        }
      </Loaded>
    </Page>
  )
}

function Actions({ upload }: { readonly upload: QuarantinedResource }) {
  const { id, client, round, canRelease } = upload
  const path = `/quarantine/${encodeURIComponent(id)}/actions`
  return (
    <span className="links">
      <Confirm
        action="Release"
        needs="operator"
        refusal={canRelease ? null : `Round ${round} takes no updates any more.`}
        title={`Count the update of ${client} as accepted?`}
        path={path}
        body={{ action: 'release' }}
        done={`Released the update of ${client}`}
      >
        It goes into the fusion of round {round} as it is. {upload.problem}
      </Confirm>
      <Confirm
        action="Remove"
        kind="danger"
        needs="operator"
        title={`Remove the update of ${client}?`}
        path={path}
        body={{ action: 'remove' }}
        done={`Removed the update of ${client}`}
      >
        The file is deleted for good; the audit log keeps what was wrong with it.
      </Confirm>
    </span>
  )
}
