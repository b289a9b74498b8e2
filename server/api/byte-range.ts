/** First and last byte, both included, as HTTP counts them. */
export interface ByteRange {
  readonly first: number
  readonly last: number
}

/**
 * Reads a header `range` of RFC 9110, section 14.
 *
 * @returns undefined when all is wanted, also for several ranges and other units, which nobody has to serve; null when
 *   none of it is there
 */
export function parseRange(header: string | undefined, size: number): ByteRange | null | undefined {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? []
  if (from === undefined || to === undefined || (from === '' && to === '')) return undefined
  const range =
    from === ''
      ? { first: Math.max(0, size - Number(to)), last: size - 1 }
      : { first: Number(from), last: to === '' ? size - 1 : Math.min(Number(to), size - 1) }
  // Digits that make no sense, as in `bytes=5-2`, are as good as no header.
  if (from !== '' && to !== '' && Number(to) < Number(from)) return undefined
  return range.first <= range.last && range.first < size ? range : null
}
