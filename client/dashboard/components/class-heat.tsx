/** Its share of each class as a row of cells. */
export function ClassHeat({ counts }: { readonly counts: readonly number[] }) {
  const most = Math.max(...counts, 1)
  const text = counts.map((count, label) => `class ${label}: ${count}`).join(', ')
  return (
    <span
      className="class-heat"
      role="img"
      aria-label={counts.length === 0 ? 'classes not told' : text}
      title={text}
    >
      {counts.map((count, label) => (
        <i key={label} style={{ opacity: count === 0 ? 0.06 : 0.15 + (0.85 * count) / most }} />
      ))}
    </span>
  )
}
