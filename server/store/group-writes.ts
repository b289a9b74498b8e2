/**
 * Writes what comes while a write is under way together, in one go, as databases commit: hundreds of clients send their
 * updates at about the same time.
 *
 * A group that fails is written one by one, so that nobody fails for what another one wrote.
 *
 * @returns resolves when the item is written
 */
export function groupWrites<Item>(
  write: (items: readonly Item[]) => Promise<void>,
): (item: Item) => Promise<void> {
  let waiting: Waiting<Item>[] = []
  let isWriting = false

  async function writeAll(): Promise<void> {
    isWriting = true
    while (waiting.length > 0) {
      const group = waiting
      waiting = []
      await writeGroup(group, write)
    }
    isWriting = false
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      if (!isWriting) void writeAll()
    })
}

interface Waiting<Item> {
  readonly item: Item
  readonly resolve: () => void
  readonly reject: (reason: Error) => void
}

async function writeGroup<Item>(
  group: readonly Waiting<Item>[],
  write: (items: readonly Item[]) => Promise<void>,
): Promise<void> {
  try {
    await write(group.map(({ item }) => item))
    for (const { resolve } of group) resolve()
  } catch (error) {
    if (group.length === 1) group[0]!.reject(error as Error)
    else for (const one of group) await writeGroup([one], write)
  }
}
