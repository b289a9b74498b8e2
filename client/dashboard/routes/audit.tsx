import type { AuditResource } from '../../../shared/protocol/operator/resources.ts'
import { dateTime } from '../lib/format.ts'
import { useAudit } from '../lib/queries.ts'
import { mayAct } from '../lib/roles.ts'
import { useSession } from '../lib/use-api.ts'
import { useParam } from '../lib/use-param.ts'
import { Button } from '../components/ui/button.tsx'
import { Empty } from '../components/ui/empty.tsx'
import { FilterInput } from '../components/ui/field.tsx'
import { Loaded } from '../components/ui/loaded.tsx'
import { Page } from '../components/ui/page.tsx'
import { type Column, Table } from '../components/ui/table.tsx'

const COLUMNS: readonly Column<AuditResource>[] = [
  { id: 'at', head: 'When', cell: ({ at }) => <time dateTime={at}>{dateTime(at)}</time> },
  { id: 'actor', head: 'Who', cell: ({ actor }) => actor },
  { id: 'action', head: 'What', cell: ({ action }) => <code>{action}</code> },
  { id: 'details', head: 'Details', cell: ({ details }) => <Details details={details} /> },
]

/** Who did what: admissions, refusals, and every action of an operator. */
export function Audit() {
  const [actor, setActor] = useParam('actor')
  const [action, setAction] = useParam('action')
  const filters = { ...(actor !== '' && { actor }), ...(action !== '' && { action }) }
  const audit = useAudit(filters)
  return (
    <Page title="Audit" lead={<p>Who did what, refusals too. Nothing here can be changed.</p>}>
      <div className="toolbar">
        <FilterInput
          label="Who, e.g. operator:mara"
          value={actor}
          onChange={(event) => setActor(event.target.value)}
        />
        <FilterInput
          label="What, e.g. client:banned"
          value={action}
          onChange={(event) => setAction(event.target.value)}
        />
      </div>
      <Loaded query={audit}>
        {({ pages }) => {
          const entries = pages.flatMap(({ items }) => items)
          if (entries.length === 0)
            return (
              <Empty
                title={
                  actor + action === '' ? 'Nothing has been recorded yet' : 'No entry is like this'
                }
              />
            )
          return (
            <>
              <Table caption="Audit log" columns={COLUMNS} rows={entries} keyOf={({ id }) => id} />
              <p className="links">
                {audit.hasNextPage && (
                  <Button
                    onClick={() => void audit.fetchNextPage()}
                    disabled={audit.isFetchingNextPage}
                  >
                    Earlier entries
                  </Button>
                )}
                <Export filters={filters} />
              </p>
            </>
          )
        }}
      </Loaded>
    </Page>
  )
}

function Details({ details }: { readonly details: unknown }) {
  if (typeof details !== 'object' || details === null) return JSON.stringify(details ?? '')
  return (
    <span className="details">
      {Object.entries(details).map(([name, value]) => (
        <span key={name}>
          <small>{name}</small> {typeof value === 'string' ? value : JSON.stringify(value)}
        </span>
      ))}
    </span>
  )
}

/** All entries that the filters let through, one a line, for scripts. */
function Export({ filters }: { readonly filters: Readonly<Record<string, string>> }) {
  const { role } = useSession()
  if (!mayAct(role, 'admin'))
    return <Button refusal={`This takes the role admin; yours is ${role}.`}>Export</Button>
  const search = new URLSearchParams(filters).toString()
  return (
    <a
      className="button"
      href={`/api/v1/audit/export${search === '' ? '' : `?${search}`}`}
      download
    >
      Export as JSON lines
    </a>
  )
}
