import { useSyncExternalStore } from 'react'

const second = () => Math.floor(Date.now() / 1000) * 1000

/** Milliseconds of the epoch, once a second; whoever counts down renders again with it. */
export function useNow(): number {
  return useSyncExternalStore(everySecond, second)
}

function everySecond(listener: () => void): () => void {
  const timer = setInterval(listener, 1000)
  return () => clearInterval(timer)
}
