import { useState } from 'react'
import { shortHash } from '../../lib/format.ts'

/** The head of a hash; a click copies all of it. */
export function Hash({ value }: { readonly value: string }) {
  const [isCopied, setCopied] = useState(false)
  const copy = async () => {
    await navigator.clipboard.writeText(value)
    setCopied(true)
  }
  return (
    <button
      type="button"
      className="hash"
      title={`${value}: copy`}
      onClick={() => void copy()}
      onBlur={() => setCopied(false)}
    >
      {isCopied ? 'copied' : shortHash(value)}
      <span className="visually-hidden">: copy all of it</span>
    </button>
  )
}
