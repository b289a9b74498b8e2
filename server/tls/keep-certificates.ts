import type { Server as HttpServer } from 'node:http'
import { Server as HttpsServer } from 'node:https'
import { RENEW_DAYS, reportCertificate } from '../certs/describe-certificate.ts'
import { watchCertificates } from './renew-certificates.ts'
import type { TlsContext } from './tls-context.ts'

/** The certificates of a coordinator that runs. */
export interface KeptCertificates {
  /** Says until when they are valid, and what clients need. */
  readonly describe: () => void
  readonly close: () => void
}

/**
 * Serves renewed certificates from the moment at which their files are there; connections that are open stay as they are.
 *
 * @param tell an operator
 * @param lookEveryMs @default 5000
 */
export function keepCertificates(
  server: HttpServer | HttpsServer,
  context: TlsContext | null,
  tell: (text: string) => void,
  lookEveryMs?: number,
): KeptCertificates {
  if (context === null || !(server instanceof HttpsServer)) {
    return { describe: () => undefined, close: () => undefined }
  }
  const close = watchCertificates(context.files, {
    onRenewed: (renewed) => {
      server.setSecureContext(renewed.secure)
      tell(`The certificate was renewed. ${validity(renewed)}`)
    },
    onFault: (error) => tell(`The certificate of before stays in use. ${error.message}`),
    ...(lookEveryMs !== undefined && { lookEveryMs }),
  })
  return {
    describe: () => {
      const { asksClients } = context
      tell(
        `${validity(context)}${asksClients ? ' Clients need a certificate with their name.' : ''}`,
      )
    },
    close,
  }
}

function validity({ certificate }: TlsContext): string {
  const { validUntil, daysLeft, hosts } = reportCertificate(certificate)
  const hurry = daysLeft < RENEW_DAYS ? `: only ${daysLeft} days, renew it` : ''
  return `TLS certificate for ${hosts.join(', ')}, valid until ${validUntil}${hurry}.`
}
