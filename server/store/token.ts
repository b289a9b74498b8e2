import { createHash, randomBytes } from 'node:crypto'

const PREFIX = 'graft_'
const SECRET_BYTES = 32

/**
 * A new token secret: 256 random bits as base64url behind a prefix that secret scanners can look for.
 * It is shown once, to whoever made it.
 */
export function createSecret(): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString('base64url')
}

/**
 * What is stored of a secret: its hex SHA-256.
 *
 * A fast hash suffices, because 256 random bits cannot be guessed as a password can. Looking the hash
 * up by index is not constant-time, and need not be: a caller who measures how far the comparison got
 * learns a prefix of a hash, and cannot choose a secret that hashes to the next prefix.
 */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('hex')
}
