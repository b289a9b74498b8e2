import { createHash } from 'node:crypto'
import { GraftError } from '../../shared/errors.ts'
import type { RequestStore } from '../store/operator-store.ts'

const DAY_MS = 24 * 3_600_000
/** How long an answer that holds a secret can be asked for again; it is stored nowhere. */
const SECRET_MS = 10 * 60_000

export interface Wish {
  readonly requestId: string
  /** Everything that makes it another wish: who, what, on what. */
  readonly of: unknown
  /** Whether the answer is kept in memory alone. */
  readonly isSecret?: boolean
}

export interface Granted<Body> {
  readonly status: number
  readonly body: Body
}

/** Performs each wish once, however often it is sent, and gives each sender the same answer for a day. */
export interface Wishes {
  /**
   * @throws GraftError GRAFT_REQUEST_REPEATED when the id is another wish's, or nobody knows how the first attempt ended;
   *   what `perform` throws, and then the id is free again
   */
  readonly once: <Body>(wish: Wish, perform: () => Promise<Granted<Body>>) => Promise<Granted<Body>>
}

export function createWishes(requests: RequestStore): Wishes {
  /** Those of this process that are being performed, or have an answer that is stored nowhere. */
  const known = new Map<
    string,
    { readonly fingerprint: string; readonly answer: Promise<unknown> }
  >()

  async function perform<Body>(
    { requestId, isSecret = false }: Wish,
    fingerprint: string,
    work: () => Promise<Granted<Body>>,
  ): Promise<Granted<Body>> {
    const keptSince = new Date(Date.now() - DAY_MS)
    const claim = await requests.claim({ id: requestId, fingerprint, keptSince })
    switch (claim.state) {
      case 'foreign':
        throw repeated(`The request id ${requestId} was given to another request before.`)
      case 'open':
        throw repeated(
          `The request ${requestId} was begun, and the coordinator ended or another one took over before it was answered.`,
        )
      case 'answered':
        if (isSecret) {
          throw repeated(
            `The request ${requestId} was answered before, with a secret that is told once.`,
          )
        }
        return { status: claim.status, body: claim.answer as Body }
      case 'new': {
        const granted = await work().catch(async (error: unknown) => {
          await requests.drop(requestId)
          throw error
        })
        await requests.answer(requestId, {
          status: granted.status,
          body: isSecret ? undefined : granted.body,
        })
        return granted
      }
    }
  }

  return {
    async once<Body>(wish: Wish, work: () => Promise<Granted<Body>>): Promise<Granted<Body>> {
      const { requestId, isSecret = false } = wish
      const fingerprint = fingerprintOf(wish.of)
      const earlier = known.get(requestId)
      if (earlier !== undefined) {
        if (earlier.fingerprint !== fingerprint) {
          throw repeated(`The request id ${requestId} was given to another request before.`)
        }
        return earlier.answer as Promise<Granted<Body>>
      }
      const answer = perform(wish, fingerprint, work)
      known.set(requestId, { fingerprint, answer })
      const forget = () => known.delete(requestId)
      answer.then(() => (isSecret ? setTimeout(forget, SECRET_MS).unref() : forget()), forget)
      return answer
    },
  }
}

function fingerprintOf(of: unknown): string {
  return createHash('sha256').update(JSON.stringify(of), 'utf8').digest('hex')
}

function repeated(problem: string): GraftError {
  return new GraftError('GRAFT_REQUEST_REPEATED', problem)
}
