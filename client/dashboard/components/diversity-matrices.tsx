import type { DiversityReport } from '../../../shared/protocol/diversity-report.ts'
import { matrixOf, type Measure, measuresOf } from '../lib/diversity.ts'

/** Levels of colour that a cell can have. */
const HEATS = 9

/** How different the parents were, a small matrix for each measure. */
export function DiversityMatrices({ diversity }: { readonly diversity: DiversityReport }) {
  if (diversity.parents.length < 2) return <p className="note">One parent differs from nobody.</p>
  return (
    <>
      <div className="matrices">
        {measuresOf(diversity).map((measure) => (
          <div key={measure.id}>
            <Matrix {...{ diversity, measure }} />
          </div>
        ))}
      </div>
      <ol className="matrix-names" aria-label="Parents by number">
        {diversity.parents.map((parent) => (
          <li key={parent}>{parent}</li>
        ))}
      </ol>
    </>
  )
}

function Matrix({
  diversity,
  measure,
}: {
  readonly diversity: DiversityReport
  readonly measure: Measure
}) {
  const values = matrixOf(diversity, measure)
  const { parents } = diversity
  return (
    <table className="matrix">
      <caption>
        {measure.title}
        <small>
          {measure.ends[0]} · {measure.ends[1]}
        </small>
      </caption>
      <thead>
        <tr>
          <td />
          {parents.slice(0, -1).map((parent, i) => (
            <th key={parent} scope="col" title={parent}>
              {i + 1}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {values.slice(1).map((row, i) => (
          <tr key={parents[i + 1]}>
            <th scope="row" title={parents[i + 1]}>
              {i + 2}
            </th>
            {row.slice(0, -1).map((value, j) =>
              // A pair once: the other half says the same.
              value === null || j > i ? (
                <td key={j} />
              ) : (
                <td
                  key={j}
                  className={`heat h${heatOf(value)}`}
                  title={`${parents[i + 1]!} and ${parents[j]!}: ${measure.full(value)}`}
                >
                  {measure.cell(value)}
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

const heatOf = (value: number): number =>
  Math.min(HEATS - 1, Math.max(0, Math.round(value * (HEATS - 1))))
