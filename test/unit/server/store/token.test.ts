import { describe, expect, it } from 'vitest'
import { createSecret, hashSecret } from '../../../../server/store/token.ts'

describe('createSecret', () => {
  it('should hold 256 bits behind the prefix that scanners look for', () => {
    const secret = createSecret()

    expect(secret).toMatch(/^graft_[A-Za-z0-9_-]{43}$/)
    expect(Buffer.from(secret.slice('graft_'.length), 'base64url')).toHaveLength(32)
  })

  it('should never give the same one twice', () => {
    expect(new Set(Array.from({ length: 100 }, createSecret)).size).toBe(100)
  })
})

describe('hashSecret', () => {
  it('should be the hex SHA-256 of the text', () => {
    // FIPS 180-4, example "abc".
    expect(hashSecret('abc')).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    )
  })
})
