/** What has to be closed, last opened first. */
export interface Cleanup extends AsyncDisposable {
  /** @returns what it was given */
  use<Resource extends AsyncDisposable>(resource: Resource): Resource
  defer(close: () => Promise<void> | void): void
}

/** AsyncDisposableStack comes with Node 24. */
export function createCleanup(): Cleanup {
  const closings: (() => Promise<void> | void)[] = []
  return {
    use(resource) {
      closings.push(() => Promise.resolve(resource[Symbol.asyncDispose]()))
      return resource
    },
    defer(close) {
      closings.push(close)
    },
    async [Symbol.asyncDispose]() {
      while (closings.length > 0) await closings.pop()?.()
    },
  }
}
