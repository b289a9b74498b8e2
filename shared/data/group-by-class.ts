/** The positions of each class in `labels`, ascending, [class][position]. */
export function groupByClass(labels: Int32Array, numClasses: number): number[][] {
  const groups = Array.from({ length: numClasses }, (): number[] => [])
  labels.forEach((label, position) => groups[label]!.push(position))
  return groups
}
