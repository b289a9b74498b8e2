import { percent, points } from '../lib/format.ts'
import { type ClassChange, forgetting } from '../lib/forgetting.ts'

/** Accuracy of each class, with a mark where the best model before stood: what is below it was forgotten. */
export function ClassBars({ changes }: { readonly changes: readonly ClassChange[] }) {
  const lost = forgetting(changes)
  return (
    <>
      <ul className="classes" aria-label="Accuracy by class">
        {changes.map(({ label, accuracy, best }) => (
          <li key={label} className={best !== null && best - accuracy > 0.02 ? 'lost' : ''}>
            <span>class {label}</span>
            <span className="class-bar" aria-hidden="true">
              <span style={{ width: `${100 * accuracy}%` }} />
              {best !== null && <i style={{ left: `${100 * best}%` }} />}
            </span>
            <b>{percent(accuracy)}</b>
            <small>{best === null ? '' : points(accuracy - best)}</small>
          </li>
        ))}
      </ul>
      <p className="note">
        The mark is the best of all earlier rounds.{' '}
        {lost !== null &&
          `Forgetting, the mean of what lies between: ${points(lost).replace('+', '')}.`}
      </p>
    </>
  )
}
