/**
 * How much each parent's word counts for each class: its share of all examples of that class,
 * `s[k][c] = n[k][c] / sum_j n[j][c]`. A parent that never saw a class has no say in its logit, which
 * is what non-IID parents need (NI, arXiv 2507.00037, weighs the head's targets the same way).
 * A class that no parent saw is shared out by `fallback`.
 *
 * @param classCounts training examples, [parent][class], >= 0
 * @param fallback weight of each parent for such a class, [parent], > 0; equal weights unless given
 * @returns [parent][class]; each class sums to 1 over the parents
 * @throws RangeError when the parents don't count the same classes
 */
export function classShares(
  classCounts: readonly (readonly number[])[],
  fallback: readonly number[] = classCounts.map(() => 1),
): Float64Array[] {
  const numClasses = classCounts[0]?.length ?? 0
  const shares = classCounts.map((counts) => {
    if (counts.length !== numClasses) {
      throw new RangeError(`Class counts of ${numClasses} and ${counts.length} classes don't mix.`)
    }
    return new Float64Array(numClasses)
  })
  for (let c = 0; c < numClasses; c++) {
    const counted = classCounts.map((counts) => counts[c]!)
    const weights = sum(counted) > 0 ? counted : fallback
    const total = sum(weights)
    shares.forEach((share, k) => (share[c] = weights[k]! / total))
  }
  return shares
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
