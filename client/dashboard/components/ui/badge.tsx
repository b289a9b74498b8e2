import type { Tone } from '../../lib/labels.ts'

/** A state in a word, with a mark whose shape says the tone to who sees few colours. */
export function Badge({ tone, children }: { readonly tone: Tone; readonly children: string }) {
  return <span className={`badge ${tone}`}>{children}</span>
}
