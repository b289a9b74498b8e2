/** In which order parents are merged. */
export type TreeShape = 'hierarchical' | 'joint' | 'iterative'

/** A leaf of the tree, made when the tree comes to it. */
export type Leaf<Network> = () => Promise<Network>

/**
 * Merges all leaves into one.
 *
 * - `hierarchical`: halves are merged first, as in merge sort, down to two or three leaves; the first
 *   half is the smaller one. Depth first, so of k leaves at most ceil(log2 k) + 2 networks are alive.
 * - `joint`: one merge of all leaves; k + 1 networks are alive.
 * - `iterative`: the result so far is merged with the next leaf; 3 networks are alive.
 *
 * @param leaves at least one; a single leaf is merged alone, which may still narrow it
 */
export async function reduceTree<Network>(
  leaves: readonly Leaf<Network>[],
  shape: TreeShape,
  merge: (networks: readonly Network[]) => Promise<Network>,
): Promise<Network> {
  switch (shape) {
    case 'joint':
      return mergeAll(leaves, merge)
    case 'hierarchical':
      return mergeHalves(leaves, merge)
    case 'iterative':
      return foldLeft(leaves, merge)
  }
}

async function mergeHalves<Network>(
  leaves: readonly Leaf<Network>[],
  merge: (networks: readonly Network[]) => Promise<Network>,
): Promise<Network> {
  if (leaves.length < 4) return mergeAll(leaves, merge)
  const middle = Math.floor(leaves.length / 2)
  const halves = [leaves.slice(0, middle), leaves.slice(middle)]
  return mergeAll(
    halves.map((half) => () => mergeHalves(half, merge)),
    merge,
  )
}

async function foldLeft<Network>(
  [first, ...others]: readonly Leaf<Network>[],
  merge: (networks: readonly Network[]) => Promise<Network>,
): Promise<Network> {
  if (others.length === 0) return mergeAll([first!], merge)
  let merged: Network = await first!()
  for (const leaf of others) merged = await merge([merged, await leaf()])
  return merged
}

/** One after the other: made at once, both halves of a tree would be alive together. */
async function mergeAll<Network>(
  leaves: readonly Leaf<Network>[],
  merge: (networks: readonly Network[]) => Promise<Network>,
): Promise<Network> {
  const networks: Network[] = []
  for (const leaf of leaves) networks.push(await leaf())
  return merge(networks)
}
