/** Lets bytes of many connections pass in turn where all together would be more than memory should hold. */
export interface Flow<Key> {
  /** Resolves when so many bytes may be on their way under this key; those who asked before come first. */
  enter(key: Key, bytes: number): Promise<void>
  /** Some have come, and count for as long as it takes, until `expect` says what is on its way then. */
  hold(key: Key): void
  /** So many are on their way now; 0 when all have arrived. */
  expect(key: Key, bytes: number): void
  /** From now on nobody waits. */
  open(): void
}

export interface FlowOptions {
  /** Bytes that may be on their way at once, under all keys together. @default 16 MiB */
  readonly mostBytes?: number
  /** Milliseconds after which others do not wait any more for bytes of which nothing has been heard. @default 1000 */
  readonly lapseMs?: number
}

interface Expected {
  readonly bytes: number
  /** When nobody waits for them any more: milliseconds of `performance.now()`. */
  readonly until: number
}

interface Waiting<Key> {
  readonly key: Key
  readonly bytes: number
  readonly resolve: () => void
}

/**
 * What a client may send is in memory from when it comes until it is on disk, and what it is sent until its connection has
 * taken it: a thousand clients do both at the same time. One that is slow, or gone, holds up the others for a moment only.
 */
export function createFlow<Key>({
  mostBytes = 16 << 20,
  lapseMs = 1000,
}: FlowOptions = {}): Flow<Key> {
  const expected = new Map<Key, Expected>()
  const waiting: Waiting<Key>[] = []
  let total = 0
  let isOpen = false
  let timer: NodeJS.Timeout | undefined

  function note(key: Key, bytes: number): void {
    total += bytes - (expected.get(key)?.bytes ?? 0)
    if (bytes > 0) expected.set(key, { bytes, until: performance.now() + lapseMs })
    else expected.delete(key)
  }

  const hasRoom = (bytes: number) => isOpen || total === 0 || total + bytes <= mostBytes

  function letIn(): void {
    clearTimeout(timer)
    for (let [first] = waiting; first !== undefined && hasRoom(first.bytes); [first] = waiting) {
      waiting.shift()
      note(first.key, first.bytes)
      first.resolve()
    }
    if (waiting.length > 0) timer = setTimeout(forgetSilent, untilLapse())
  }

  /** @returns milliseconds; those that are held do not lapse */
  function untilLapse(): number {
    let first = Infinity
    for (const { until } of expected.values()) first = Math.min(first, until)
    return Math.min(Math.max(0, first - performance.now()), lapseMs)
  }

  function forgetSilent(): void {
    const now = performance.now()
    for (const [key, { until }] of expected) if (until <= now) note(key, 0)
    letIn()
  }

  return {
    enter: (key, bytes) =>
      new Promise((resolve) => {
        waiting.push({ key, bytes, resolve })
        letIn()
      }),
    hold(key) {
      const known = expected.get(key)
      if (known !== undefined) expected.set(key, { ...known, until: Infinity })
    },
    expect(key, bytes) {
      note(key, bytes)
      letIn()
    },
    open() {
      isOpen = true
      letIn()
    },
  }
}
