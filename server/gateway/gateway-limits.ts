import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import { createRateLimit, type Rate } from './rate-limit.ts'

/** How much a gateway takes of each address and each client; what they do alone never comes near. */
export interface GatewayLimits {
  /** Of one address that is not this machine's: attempts to connect. A thousand clients behind one of them start at once. */
  readonly connects: Rate
  /** Of one token under one name: attempts to connect. */
  readonly joins: Rate
  /** Of one client: messages. A chunk is one: a gigabyte a second passes. */
  readonly messages: Rate
  /** Of one client: updates begun. */
  readonly uploads: Rate
  /** Of one address that is not this machine's: messages and updates of all its clients, times as many as these. */
  readonly clientsAnAddress: number
  /**
   * Whether addresses of this machine have no limits: who may start processes on it needs no wire to slow it down, and behind a
   * proxy on it everybody has its address.
   */
  readonly sparesLocal: boolean
}

export const DEFAULT_LIMITS: GatewayLimits = {
  connects: { burst: 2_000, perSecond: 100 },
  joins: { burst: 200, perSecond: 50 },
  messages: { burst: 2_000, perSecond: 1_000 },
  uploads: { burst: 100, perSecond: 20 },
  clientsAnAddress: 20,
  sparesLocal: true,
}

/** Seconds to wait, 0 for none. */
export interface GatewayLimiter {
  readonly connect: (address: string) => number
  readonly join: (token: string, name: string) => number
  readonly message: (client: string, address: string) => number
  readonly upload: (client: string, address: string) => number
  /** Whether this address has no limits. */
  readonly spares: (address: string) => boolean
}

/** Names and addresses remembered of each kind. */
const MOST_NAMES = 20_000
/** Longest time that a client is told to wait, in seconds. */
const LONGEST_WAIT = 60

/** @param clock seconds */
export function createGatewayLimiter(
  limits: GatewayLimits = DEFAULT_LIMITS,
  clock: () => number = () => performance.now() / 1000,
): GatewayLimiter {
  const options = { mostNames: MOST_NAMES, longestWait: LONGEST_WAIT, clock }
  const { connects, joins, messages, uploads, clientsAnAddress, sparesLocal } = limits
  const spares = (address: string) => sparesLocal && isLocal(address)
  const connect = createRateLimit(connects, options)
  const join = createRateLimit(joins, options)
  const message = createPair(messages)
  const upload = createPair(uploads)

  function createPair(rate: Rate): (client: string, address: string) => number {
    const many = {
      burst: rate.burst * clientsAnAddress,
      perSecond: rate.perSecond * clientsAnAddress,
    }
    const ofClient = createRateLimit(rate, options)
    const ofAddress = createRateLimit(many, options)
    return (client, address) =>
      Math.max(ofClient.take(client), spares(address) ? 0 : ofAddress.take(networkOf(address)))
  }

  return {
    connect: (address) => (spares(address) ? 0 : connect.take(networkOf(address))),
    // Nobody can use up what a name may do without its token; which itself is kept nowhere.
    join: (token, name) => join.take(`${hashOf(token)}/${name}`),
    message,
    upload,
    spares,
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64')
}

/** Whether it is one of this machine. */
function isLocal(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address)
}

/** The part of an address that one party has: all of IPv4, a /64 of IPv6, of which every host has plenty. */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped !== null) return mapped[1]!
  const [head = '', tail = ''] = address.replace(/%.*$/, '').split('::')
  const left = head.split(':').filter((group) => group !== '')
  const right = tail.split(':').filter((group) => group !== '')
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0')
  const groups = address.includes('::') ? [...left, ...zeros, ...right] : left
  return groups
    .slice(0, 4)
    .map((group) => parseInt(group, 16).toString(16))
    .join(':')
}
