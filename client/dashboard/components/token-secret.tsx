import { useState } from 'react'
import type { NewToken } from '../../../shared/protocol/operator/resources.ts'
import { dateTime } from '../lib/format.ts'
import { Button } from './ui/button.tsx'

interface TokenSecretProps {
  readonly token: NewToken
  readonly onClose: () => void
}

/** A secret, this once. */
export function TokenSecret({ token, onClose }: TokenSecretProps) {
  const [isCopied, setCopied] = useState(false)
  const copy = async () => {
    await navigator.clipboard.writeText(token.secret)
    setCopied(true)
  }
  return (
    <section className="secret" aria-label={`Secret of ${token.label}`}>
      <p>
        <b>The secret of “{token.label}”.</b> Copy it now: only a hash of it is stored, so nobody
        can show it again.
        {token.previousUntil !== null &&
          ` The one before it stays good until ${dateTime(token.previousUntil)}.`}
      </p>
      <p className="secret-row">
        <code tabIndex={0}>{token.secret}</code>
        <Button kind="primary" onClick={() => void copy()}>
          {isCopied ? 'Copied' : 'Copy'}
        </Button>
        <Button onClick={onClose}>I have it</Button>
      </p>
    </section>
  )
}
