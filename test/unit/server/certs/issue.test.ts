import { X509Certificate } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  issueAuthority,
  issueClient,
  type Issued,
  issueServer,
} from '../../../../server/certs/issue.ts'

const DAY_MS = 86_400_000

describe('issued certificates', () => {
  let authority: Issued

  beforeAll(async () => {
    authority = await issueAuthority('Trial', { days: 100 })
  })

  it('should make an authority that signs, and is signed by itself', async () => {
    const certificate = new X509Certificate(authority.certificate)
    expect(certificate.ca).toBe(true)
    expect(certificate.subject).toBe('CN=Trial')
    expect(certificate.verify(certificate.publicKey)).toBe(true)
    expect(authority.key).toMatch(/^-----BEGIN PRIVATE KEY-----/)
  })

  it('should make a server’s certificate for each name and address given, and no other', async () => {
    const { certificate } = await issueServer(authority, ['graft.example.org', '10.0.0.5', '::1'], {
      days: 30,
    })
    const server = new X509Certificate(certificate)
    expect(server.ca).toBe(false)
    expect(server.checkHost('graft.example.org')).toBe('graft.example.org')
    expect(server.checkIP('10.0.0.5')).toBe('10.0.0.5')
    expect(server.checkIP('::1')).toBeDefined()
    expect(server.checkHost('example.org')).toBeUndefined()
    expect(server.checkIP('10.0.0.6')).toBeUndefined()
    expect(server.checkIssued(new X509Certificate(authority.certificate))).toBe(true)
    expect(server.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true)
  })

  it('should let no certificate outlive its authority', async () => {
    const now = new Date('2026-01-01T00:00:00Z')
    const short = await issueAuthority('Short', { days: 5, now })
    const { certificate } = await issueServer(short, ['a'], { days: 30, now })
    const until = new Date(new X509Certificate(certificate).validTo)
    expect(until).toEqual(new Date(now.getTime() + 5 * DAY_MS))
  })

  it('should keep to the days that are asked for', async () => {
    const now = new Date('2026-01-01T00:00:00Z')
    const long = await issueAuthority('Long', { days: 365, now })
    const { certificate } = await issueClient(long, 'ada', { days: 7, now })
    expect(new Date(new X509Certificate(certificate).validTo)).toEqual(
      new Date(now.getTime() + 7 * DAY_MS),
    )
  })

  it('should name a client as it is named, whatever letters that has', async () => {
    await fc.assert(
      fc.asyncProperty(fc.stringMatching(/^[\w.,=+"#;<> -]{1,40}$/), async (name) => {
        const { certificate } = await issueClient(authority, name, { days: 1 })
        expect(new X509Certificate(certificate).toLegacyObject().subject.CN).toBe(name)
      }),
      { numRuns: 20, seed: 7 },
    )
  })

  it('should give each certificate a number and a key of its own', async () => {
    const made = [
      await issueClient(authority, 'ada', { days: 1 }),
      await issueClient(authority, 'ada', { days: 1 }),
    ]
    const numbers = made.map((each) => new X509Certificate(each.certificate).serialNumber)
    expect(new Set(numbers).size).toBe(2)
    expect(made[0]!.key).not.toBe(made[1]!.key)
  })
})
