import type { IncomingHttpHeaders } from 'node:http'
import { GraftError } from '../../shared/errors.ts'

/**
 * Refuses what another site's page sends: browsers name it in `Origin`, and scripts send none. The scheme is not compared, as a
 * proxy may have ended TLS; a page on the same host and port is this coordinator's own in either case.
 *
 * @throws GraftError GRAFT_ORIGIN_REFUSED
 */
export function assertOwnOrigin({
  host,
  origin,
  'sec-fetch-site': site,
}: IncomingHttpHeaders): void {
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    throw new GraftError(
      'GRAFT_ORIGIN_REFUSED',
      `The request comes from another site (${[site].flat().join()}).`,
    )
  }
  if (origin === undefined) return
  if (host === undefined || hostOf(origin) !== host.toLowerCase()) {
    throw new GraftError(
      'GRAFT_ORIGIN_REFUSED',
      `The request comes from a page of ${origin}, not from one of ${host ?? 'this coordinator'}.`,
    )
  }
}

/** `null`, which sandboxed pages send, has none. */
function hostOf(origin: string): string | null {
  try {
    return new URL(origin).host
  } catch {
    return null
  }
}
