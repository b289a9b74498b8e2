import type { ModelComparison as Compared } from '../../../shared/protocol/operator/resources.ts'
import { bytes, nats, percent, points, signed } from '../lib/format.ts'
import { useComparison } from '../lib/queries.ts'
import { Loaded } from './ui/loaded.tsx'
import { Section } from './ui/page.tsx'

/** Two models beside each other, class by class and tensor by tensor. */
export function ModelComparison({ a, b }: { readonly a: string; readonly b: string }) {
  const comparison = useComparison(a, b)
  return (
    <Loaded query={comparison} lines={5}>
      {(found) => <Comparison comparison={found} />}
    </Loaded>
  )
}

function Comparison({ comparison }: { readonly comparison: Compared }) {
  const { a, b, accuracyGain, lossGain, classGains } = comparison
  const rows = [
    ['Accuracy', percent(a.accuracy, 2), percent(b.accuracy, 2), points(accuracyGain)],
    ['Loss', nats(a.loss), nats(b.loss), `${signed((-lossGain).toFixed(3))}\u202fnats`],
    ['Size', bytes(a.sizeBytes), bytes(b.sizeBytes), ''],
  ]
  return (
    <Section title={`Round ${a.round} beside round ${b.round}`}>
      <div className="compare">
        <table>
          <thead>
            <tr>
              <td />
              <th scope="col">Round {a.round}</th>
              <th scope="col">Round {b.round}</th>
              <th scope="col">Difference</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, ...cells]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                {cells.map((cell, i) => (
                  <td key={i}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
        {classGains !== null && <ClassGains gains={classGains} />}
        <Tensors comparison={comparison} />
      </div>
    </Section>
  )
}

/** What each class won or lost, to the right and to the left of the middle. */
function ClassGains({ gains }: { readonly gains: readonly (number | null)[] }) {
  const most = Math.max(0.01, ...gains.map((gain) => Math.abs(gain ?? 0)))
  return (
    <div>
      <h3>By class</h3>
      <ol className="gains" aria-label="Accuracy by class, difference">
        {gains.map((gain, label) =>
          gain === null ? null : (
            <li key={label}>
              <span>class {label}</span>
              <Gain share={gain / most} />
              <b>{points(gain)}</b>
            </li>
          ),
        )}
      </ol>
    </div>
  )
}

function Gain({ share }: { readonly share: number }) {
  const width = `${50 * Math.abs(share)}%`
  return (
    <span className={share < 0 ? 'gain down' : 'gain'} aria-hidden="true">
      <i style={share < 0 ? { right: '50%', width } : { left: '50%', width }} />
    </span>
  )
}

/** How far each tensor has moved. */
function Tensors({ comparison: { tensors, isSameShape } }: { readonly comparison: Compared }) {
  if (!isSameShape) return <p className="note">Their tensors have different names or shapes.</p>
  const most = Math.max(1e-9, ...tensors.map(({ distance }) => distance))
  return (
    <div>
      <h3>By tensor, distance over length</h3>
      <ol className="gains" aria-label="Distance of each tensor">
        {tensors.map(({ name, shape, distance, cosine }) => (
          <li
            key={name}
            title={`[${shape.join(', ')}]${cosine === null ? '' : `, cosine ${cosine.toFixed(4)}`}`}
          >
            <span>{name}</span>
            <span className="gain moved" aria-hidden="true">
              <i style={{ left: 0, width: `${(100 * distance) / most}%` }} />
            </span>
            <b>{distance.toFixed(3)}</b>
          </li>
        ))}
      </ol>
    </div>
  )
}
