import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect as connectTls, type SecureVersion } from 'node:tls'
import { readFile, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readClientTls } from '../../client/node/client-tls.ts'
import type { ConnectionOptions } from '../../client/node/connection.ts'
import type { ClientRefusal } from '../../server/gateway/gateway.ts'
import { createHttpServer } from '../../server/tls/create-http-server.ts'
import { keepCertificates } from '../../server/tls/keep-certificates.ts'
import { readTlsContext } from '../../server/tls/tls-context.ts'
import { RunJoined } from '../../shared/protocol/messages.ts'
import { createTestAuthority } from '../support/certificates.ts'
import { AUTH, clientId, noise, overOf, sha256, startTestGateway } from '../support/test-gateway.ts'
import { pullBlob } from '../../client/node/transfer.ts'

type Authority = Awaited<ReturnType<typeof createTestAuthority>>
const HOSTS = ['localhost', '127.0.0.1'] as const

describe('TLS', () => {
  let authority: Authority
  let stranger: Authority

  beforeAll(async () => {
    authority = await createTestAuthority()
    stranger = await createTestAuthority('Stranger')
  })
  afterAll(async () => {
    await authority[Symbol.asyncDispose]()
    await stranger[Symbol.asyncDispose]()
  })

  it('should carry a client’s messages and blobs over a real handshake', async () => {
    await using server = await startSecure()
    expect(server.gateway.url).toMatch(/^https:/)
    const connection = server.connect(await trusting(authority.ca, server))
    expect(await connection.request('run:join', {}, RunJoined)).toMatchObject({
      clientId: 'client-0',
    })
    const bytes = noise(3_000_000)
    expect(sha256(await pullBlob(connection, server.offer(bytes)))).toBe(sha256(bytes))
  })

  it('should refuse a coordinator whose certificate another authority has signed', async () => {
    await using server = await startSecure()
    const over = await overOf(server.connect(await trusting(stranger.ca, server)))
    expect(over).toMatchObject({ code: 'GRAFT_CERTIFICATE_UNTRUSTED' })
    expect(over.message).toContain('signed by nobody that this client trusts')
    expect(over.message).toContain('--tls-ca')
  })

  it('should refuse it without --tls-ca, too: private authorities are known to nobody', async () => {
    await using server = await startSecure()
    const over = await overOf(server.connect())
    expect(over).toMatchObject({ code: 'GRAFT_CERTIFICATE_UNTRUSTED' })
  })

  it('should refuse a certificate that has expired', async () => {
    // A coordinator would not start with it; it may expire while that runs.
    const files = await authority.server(HOSTS, { from: -10, file: 'expired' })
    const secure = {
      cert: await readFile(files.cert, 'utf8'),
      key: await readFile(files.key, 'utf8'),
    }
    const valid = await readTlsContext(await authority.server(HOSTS))
    await using server = await startTestGateway({}, { tls: { ...valid, secure } })
    const over = await overOf(server.connect(await trusting(authority.ca, server)))
    expect(over).toMatchObject({ code: 'GRAFT_CERTIFICATE_UNTRUSTED' })
    expect(over.message).toContain('has expired')
    await expect(readTlsContext(files)).rejects.toMatchObject({
      code: 'GRAFT_CERTIFICATE_INVALID',
      problem: expect.stringContaining('expired on'),
    })
  })

  it('should refuse a certificate for another name, and say for which it is', async () => {
    const files = await authority.server(['graft.example.org'], { file: 'elsewhere' })
    await using server = await startTestGateway({}, { tls: await readTlsContext(files) })
    const over = await overOf(server.connect(await trusting(authority.ca, server)))
    expect(over).toMatchObject({ code: 'GRAFT_CERTIFICATE_UNTRUSTED' })
    expect(over.message).toContain('graft.example.org')
  })

  it('should tell a client without TLS to use https', async () => {
    await using server = await startSecure()
    const plain = server.gateway.url.replace('https:', 'http:')
    const over = await overOf(server.connect({ servers: [plain] }))
    expect(over).toMatchObject({ code: 'GRAFT_TLS_MISMATCH' })
    expect(over.message).toContain('https://')
    // Whoever looks with a browser or curl is told the same.
    const [response] = (await once(get(plain), 'response')) as [IncomingMessage]
    expect(response.statusCode).toBe(426)
    expect(Buffer.concat(await response.toArray()).toString()).toContain('https://')
  })

  it('should tell a client with TLS that a coordinator has none', async () => {
    await using server = await startTestGateway()
    const secure = server.gateway.url.replace('http:', 'https:')
    const over = await overOf(server.connect({ servers: [secure] }))
    expect(over).toMatchObject({ code: 'GRAFT_TLS_MISMATCH' })
    expect(over.message).toContain('does not speak TLS')
  })

  it('should try the other addresses before it gives up', async () => {
    await using wrong = await startSecure()
    await using right = await startTestGateway()
    const servers = [wrong.gateway.url, right.gateway.url]
    const joined = await right.connect({ servers }).request('run:join', {}, RunJoined)
    expect(joined.clientId).toBe('client-0')
  })

  it.each([
    { version: 'TLSv1.1' as const, isTaken: false },
    { version: 'TLSv1.2' as const, isTaken: true },
    { version: 'TLSv1.3' as const, isTaken: true },
  ])('should take TLS 1.2 and newer only: $version', async ({ version, isTaken }) => {
    await using server = await startSecure()
    const shaken = handshake(server.gateway.url, version)
    if (isTaken) expect(await shaken).toBe(version)
    else await expect(shaken).rejects.toThrow(/protocol version|unsupported protocol/i)
  })

  async function startSecure() {
    return startTestGateway({}, { tls: await readTlsContext(await authority.server(HOSTS)) })
  }

  async function trusting(
    ca: string,
    { gateway: { url } }: { gateway: { url: string } },
  ): Promise<Partial<ConnectionOptions>> {
    return { tls: await readClientTls({ ca }, [url]) }
  }
})

describe('mutual TLS', () => {
  let authority: Authority
  let stranger: Authority

  beforeAll(async () => {
    authority = await createTestAuthority()
    stranger = await createTestAuthority('Stranger')
  })
  afterAll(async () => {
    await authority[Symbol.asyncDispose]()
    await stranger[Symbol.asyncDispose]()
  })

  it('should let a client in under the name of its certificate', async () => {
    await using server = await startMutual()
    const tls = await clientTls(await authority.client('client-0'))
    const connection = server.connect({ ...(await local(server)), tls })
    expect((await connection.request('run:join', {}, RunJoined)).clientId).toBe('client-0')
    // Without a name of its own it has that of the certificate.
    const { token, version, engine } = AUTH
    const auth = { token, version, engine }
    const other = server.connect({ ...(await local(server)), tls, auth })
    expect((await other.request('run:join', {}, RunJoined)).clientId).toBe('client-0')
  })

  it.each([
    {
      what: 'no certificate',
      files: async () => undefined,
      says: 'asks for a certificate',
    },
    {
      what: 'a certificate for another name',
      files: async () => authority.client('client-1'),
      says: 'is for client-1, not for client-0',
    },
    {
      what: 'a certificate of another authority',
      files: async () => stranger.client('client-0'),
      says: 'another authority has signed it',
    },
    {
      what: 'the certificate of a server',
      files: async () => authority.server(['client-0'], { file: 'wrong-purpose' }),
      says: 'not one of a client',
    },
  ])('should refuse $what, and tell the operator', async ({ files, says }) => {
    const refusals: ClientRefusal[] = []
    await using server = await startMutual((refusal) => refusals.push(refusal))
    const tls = await clientTls(await files())
    const over = await overOf(server.connect({ ...(await local(server)), tls }))
    expect(over).toMatchObject({ code: 'GRAFT_CERTIFICATE_REFUSED' })
    expect(over.message).toContain(says)
    expect(refusals).toMatchObject([{ name: 'client-0', address: '127.0.0.1' }])
    expect(server.seen.admitted).toEqual([])
  })

  it('should refuse a client’s certificate that has expired', async () => {
    await using server = await startMutual()
    const { cert, key } = await authority.client('client-0', { from: -10 })
    // Its client would not start with it, hence no readClientTls.
    const ca = [await readFile(authority.ca, 'utf8')]
    const tls = { ca, cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') }
    const over = await overOf(server.connect({ ...(await local(server)), tls }))
    expect(over).toMatchObject({ code: 'GRAFT_CERTIFICATE_REFUSED' })
    expect(over.message).toContain('it has expired')
  })

  async function startMutual(onRefused?: (refusal: ClientRefusal) => void) {
    const files = { ...(await authority.server(HOSTS)), clientCa: authority.ca }
    const admitted: string[] = []
    const server = await startTestGateway(
      {
        admit: async (auth) => {
          admitted.push(String(auth.name))
          return auth.name ?? clientId('nameless')
        },
      },
      { tls: await readTlsContext(files), ...(onRefused && { onRefused }) },
    )
    return Object.assign(server, { seen: { ...server.seen, admitted } })
  }

  async function clientTls(files: { cert: string; key: string } | undefined) {
    return readClientTls({ ca: authority.ca, ...files }, ['https://localhost'])
  }

  async function local(server: { gateway: { url: string } }) {
    return { servers: [server.gateway.url] }
  }
})

describe('renewed certificates', () => {
  it('should be served as soon as their files are there, and broken ones never', async () => {
    await using authority = await createTestAuthority()
    const context = await readTlsContext(await authority.server(HOSTS))
    const http = createHttpServer((_request, response) => void response.end(), context)
    const told: string[] = []
    const heard = listenTo(told)
    const kept = keepCertificates(http, context, heard.tell, 20)
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    const { port } = http.address() as AddressInfo
    const url = `https://127.0.0.1:${port}`
    try {
      const before = await serialOf(url)
      await writeFile(context.files.cert, 'no certificate')
      await heard.until(/stays in use/)
      expect(await serialOf(url)).toBe(before)
      await authority.server(HOSTS)
      await heard.until(/was renewed/)
      expect(await serialOf(url)).not.toBe(before)
    } finally {
      kept.close()
      http.close()
    }
  })
})

// Helpers

function listenTo(told: string[]) {
  let wake: () => void = () => undefined
  return {
    tell: (text: string) => {
      told.push(text)
      wake()
    },
    async until(pattern: RegExp): Promise<void> {
      while (!told.some((text) => pattern.test(text))) {
        await new Promise<void>((resolve) => (wake = resolve))
      }
    },
  }
}

async function serialOf(url: string): Promise<string> {
  const socket = connectTls({ port: Number(new URL(url).port), rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const { serialNumber } = socket.getPeerCertificate()
  socket.destroy()
  return serialNumber
}

async function handshake(url: string, version: SecureVersion): Promise<string | null> {
  const socket = connectTls({
    port: Number(new URL(url).port),
    rejectUnauthorized: false,
    minVersion: version,
    maxVersion: version,
    // OpenSSL 3 has no cipher for old versions at its usual level of security.
    ciphers: 'DEFAULT:@SECLEVEL=0',
  })
  try {
    await once(socket, 'secureConnect')
    return socket.getProtocol()
  } finally {
    socket.destroy()
  }
}
