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
        { replace: true },
      )
    },
    [name, setParams],
  )
  return [params.get(name) ?? '', set]
}
