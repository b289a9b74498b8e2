import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { watch } from '../../client/watch/watch.ts'
import type { LiveEvent } from '../../shared/protocol/operator/live.ts'
import { fakeStream } from '../support/fake-stream.ts'
import { freePort } from '../support/free-port.ts'
import { startTestApi } from '../support/test-api.ts'
import { FEDERATION } from '../support/test-operations.ts'

let api: Awaited<ReturnType<typeof startTestApi>>

beforeAll(async () => {
  api = await startTestApi()
})
afterAll(() => api[Symbol.asyncDispose]())

/** Watches until `look` is content with what has been written so far. */
async function watching(terminal: boolean, act: () => void, look: (text: string) => void) {
  const screen = fakeStream(terminal ? { columns: 100, rows: 30 } : undefined)
  const enough = new AbortController()
  const { url: server, secrets } = api
  const watched = watch({ server, token: secrets.viewer, screen, signal: enough.signal })
  watched.catch(() => undefined)
  let text = ''
  await vi.waitFor(
    () => {
      act()
      text += screen.take()
      look(text)
    },
    { timeout: 10_000, interval: 100 },
  )
  enough.abort(new Error('seen enough'))
  await expect(watched).rejects.toThrow('seen enough')
}

describe('graft watch', () => {
  it('should draw the run, and the curve of all of its rounds', async () => {
    const { run } = await api.seed(3)
    api.coordinator.state.federation = { ...FEDERATION, run }
    await watching(
      true,
      () => undefined,
      (text) => {
        expect(text).toContain(`run ${run.slice(0, 8)}`)
        expect(text).toMatch(/accuracy [▁▂▃▄▅▆▇█]{3} [\d.]+ %, best/)
      },
    )
  })

  it('should write a line an event into a pipe', async () => {
    const { run } = await api.seed(3)
    const { items } = await api.get<{ items: LiveEvent[] }>(`/api/v1/runs/${run}/events`)
    const [event] = items
    // Told until it is heard: nobody says when the watch is connected.
    await watching(
      false,
      () => api.coordinator.tell((it) => it.eventAppended(event!)),
      (text) => expect(text).toContain(`${event!.at} ${event!.text}\n`),
    )
  })

  it('should end with the reason where it is refused, or nobody answers', async () => {
    const { signal } = new AbortController()
    const place = { screen: fakeStream(), signal }
    await expect(watch({ ...place, server: api.url, token: 'wrong' })).rejects.toThrow(
      /GRAFT_(SIGNED_OUT|TOKEN_INVALID)/,
    )
    const server = `http://127.0.0.1:${await freePort()}`
    await expect(watch({ ...place, server, token: 'any' })).rejects.toThrow(
      /GRAFT_SERVER_UNREACHABLE/,
    )
  })
})
