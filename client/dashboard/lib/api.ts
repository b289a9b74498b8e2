import type { Problem } from '../../../shared/protocol/operator/resources.ts'

/** One page of a list; `next` is the cursor of the page behind it. */
export interface Page<Item> {
  readonly items: readonly Item[]
  readonly next: string | null
}

export type Query = Readonly<Record<string, string | number | undefined>>

/** A refusal that the coordinator explained. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.detail)
    this.problem = problem
  }
}

/** No answer came, or none that is the coordinator's. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError'
}

/** The coordinator's HTTP API. Answers are what its schemas say: its own tests check each against them. */
export interface Api {
  readonly get: <Answer>(path: string, query?: Query) => Promise<Answer>
  readonly send: <Answer>(
    method: 'POST' | 'DELETE',
    path: string,
    body?: unknown,
  ) => Promise<Answer>
  /** Requests that change something carry it from now on. */
  readonly useCsrfToken: (token: string) => void
}

const ROOT = '/api/v1'

export function createApi(doFetch: typeof fetch): Api {
  let csrfToken: string | null = null

  async function request(path: string, init: RequestInit): Promise<unknown> {
    const response = await doFetch(ROOT + path, {
      ...init,
      credentials: 'same-origin',
      signal: AbortSignal.timeout(30_000),
    }).catch((error: unknown) => {
      throw new UnreachableError('The coordinator does not answer.', { cause: error })
    })
    if (response.status === 204) return undefined
    const body: unknown = await response.json().catch(() => undefined)
    if (response.ok && body !== undefined) return body
    if (isProblem(body)) throw new ProblemError(body)
    throw new UnreachableError(
      `What answered is no coordinator: HTTP ${response.status} without an explanation.`,
    )
  }

  return {
    get: <Answer>(path: string, query: Query = {}) =>
      request(path + toSearch(query), { method: 'GET' }) as Promise<Answer>,
    send: <Answer>(method: string, path: string, body?: unknown) =>
      request(path, {
        method,
        headers: {
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(csrfToken !== null && { 'x-graft-csrf': csrfToken }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }) as Promise<Answer>,
    useCsrfToken: (token) => {
      csrfToken = token
    },
  }
}

/** Every page of a list that a screen shows as a whole, such as the rounds of a run. */
export async function getAll<Item>(api: Api, path: string, query: Query = {}): Promise<Item[]> {
  const items: Item[] = []
  let cursor: string | undefined
  do {
    const page: Page<Item> = await api.get(path, { ...query, cursor })
    items.push(...page.items)
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  return items
}

export function isUnauthorised(error: unknown): boolean {
  return error instanceof ProblemError && error.problem.status === 401
}

function toSearch(query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '')
  const search = new URLSearchParams(given.map(([key, value]) => [key, String(value)]))
  return given.length === 0 ? '' : `?${search.toString()}`
}

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && 'detail' in body && 'remedy' in body
}
