import { useCallback } from 'react'
import { useSearchParams } from 'react-router'

/** A filter in the page's address, so that a link shows what its sender saw. Empty: not filtered. */
export function useParam(name: string): readonly [string, (value: string) => void] {
  const [params, setParams] = useSearchParams()
  const set = useCallback(
    (value: string) => {
      setParams(
        (before) => {
          const next = new URLSearchParams(before)
          if (value === '') next.delete(name)
          else next.set(name, value)
          return next
        },
        // At once, not as a transition: a box keeps its mark, and a second choice starts from the first.
        { replace: true, flushSync: true },
      )
    },
    [name, setParams],
  )
  return [params.get(name) ?? '', set]
}
