import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { createPhaseDisplay } from '../../../../shared/command/phase-progress.ts'
import { fakeStream } from '../../../support/fake-stream.ts'

const captions = { fetch: 'Fetching', prepare: 'Preparing' }

describe('createPhaseDisplay', () => {
  it('should write one line a phase where there is no terminal', () => {
    const stream = fakeStream()
    const display = createPhaseDisplay(stream, captions)
    display.show({ phase: 'fetch', done: 0 })
    display.show({ phase: 'fetch', done: 0.5 })
    display.show({ phase: 'prepare' })
    display.close()
    expect(stream.take()).toBe('Fetching\nPreparing\n')
  })

  it('should draw a bar on a terminal, and give the cursor back when closed halfway', async () => {
    const terminal = Object.assign(new PassThrough(), { isTTY: true, columns: 80 })
    const display = createPhaseDisplay(terminal, captions)
    display.show({ phase: 'fetch', done: 0.5 })
    display.close()
    display.close()
    terminal.end()
    const written = await text(terminal)
    expect(written).toContain('Fetching')
    expect(written).toContain(' 50 %')
    const [hide, show] = ['\u001b[?25l', '\u001b[?25h']
    expect(written.lastIndexOf(show)).toBeGreaterThan(written.lastIndexOf(hide))
  })

  it('should write nothing when there was nothing to show', () => {
    const terminal = Object.assign(new PassThrough(), { isTTY: true, columns: 80 })
    createPhaseDisplay(terminal, captions).close()
    expect(terminal.read()).toBeNull()
  })
})
