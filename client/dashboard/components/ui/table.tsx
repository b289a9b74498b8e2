import type { ReactNode } from 'react'

export interface Column<Row> {
  readonly id: string
  readonly head: string
  readonly cell: (row: Row) => ReactNode
  /** Numbers stand under each other. */
  readonly isNumber?: boolean
  /** Left out on a phone. */
  readonly isMinor?: boolean
  readonly sortBy?: (row: Row) => number | string
}

export interface Sort {
  readonly by: string
  readonly isDown: boolean
}

interface TableProps<Row> {
  readonly caption: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
  readonly sort?: Sort | null
  readonly onSort?: (sort: Sort) => void
}

/**
 * A table that scrolls by itself where it is wider than the screen; the first column names the row. On a phone each row is
 * a card, and the heads that sort stand above them; the roles are said as some browsers forget them then.
 */
export function Table<Row>({
  caption,
  columns,
  rows,
  keyOf,
  sort = null,
  onSort,
}: TableProps<Row>) {
  const sorted = sortRows(rows, columns, sort)
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={caption}>
      <table role="table">
        <caption className="visually-hidden">{caption}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map(({ id, head, isNumber, isMinor, sortBy }) => {
              const isSorted = sort?.by === id
              const direction = isSorted ? (sort.isDown ? 'descending' : 'ascending') : 'none'
              return (
                <th
                  key={id}
                  scope="col"
                  role="columnheader"
                  className={classOf(isNumber, isMinor)}
                  {...(sortBy !== undefined && onSort !== undefined && { 'aria-sort': direction })}
                >
                  {sortBy !== undefined && onSort !== undefined ? (
                    <button
                      type="button"
                      className="sort"
                      onClick={() =>
                        onSort({ by: id, isDown: isSorted ? !sort.isDown : isNumber === true })
                      }
                    >
                      {head}
                    </button>
                  ) : (
                    head
                  )}
                </th>
              )
            })}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {sorted.map((row) => (
            <tr key={keyOf(row)} role="row">
              {columns.map(({ id, head, cell, isNumber, isMinor }, i) =>
                i === 0 ? (
                  <th key={id} scope="row" role="rowheader" className={classOf(isNumber, isMinor)}>
                    {cell(row)}
                  </th>
                ) : (
                  <td key={id} role="cell" data-head={head} className={classOf(isNumber, isMinor)}>
                    {cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function classOf(isNumber = false, isMinor = false): string {
  return `${isNumber ? 'number' : ''} ${isMinor ? 'minor' : ''}`.trim()
}

function sortRows<Row>(rows: readonly Row[], columns: readonly Column<Row>[], sort: Sort | null) {
  const sortBy = columns.find(({ id }) => id === sort?.by)?.sortBy
  if (sort === null || sortBy === undefined) return rows
  const turn = sort.isDown ? -1 : 1
  return rows.toSorted((a, b) => {
    const [x, y] = [sortBy(a), sortBy(b)]
    return x < y ? -turn : x > y ? turn : 0
  })
}
