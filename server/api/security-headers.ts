import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import { GraftError } from '../../shared/errors.ts'
import type { ApiApp } from './api-app.ts'

/** Requests of one address in a minute: a console with all its pages open needs far fewer. */
const MOST_A_MINUTE = 1_200

/** Tells browsers to take nothing from elsewhere, and lets no address ask without end. There is no CORS: no other site may ask. */
export async function addSecurity(app: ApiApp): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        // Charts set sizes and colours of their elements; no style can run anything.
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:', 'blob:'],
        fontSrc: ["'self'"],
        connectSrc: ["'self'"],
        manifestSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    // Whether there is TLS is decided by who listens or by the proxy before it.
    strictTransportSecurity: false,
    referrerPolicy: { policy: 'no-referrer' },
  })
  await app.register(rateLimit, {
    max: MOST_A_MINUTE,
    timeWindow: 60_000,
    cache: 10_000,
    errorResponseBuilder: (_request, { ttl }) =>
      new GraftError(
        'GRAFT_RATE_LIMITED',
        `More than ${MOST_A_MINUTE} requests in a minute: the next one is heard in ${Math.ceil(ttl / 1000)} s.`,
      ),
  })
}
