/** @returns a function that says how many seconds have passed */
export function startClock(): () => number {
  const since = performance.now()
  return () => (performance.now() - since) / 1000
}
