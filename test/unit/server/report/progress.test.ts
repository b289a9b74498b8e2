import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createRunDisplay } from '../../../../server/report/progress.ts'
import { fakeStream } from '../../../support/fake-stream.ts'
import { screenOf } from '../../../support/screen.ts'

describe('createRunDisplay on a terminal', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('should show the phase, elapsed time and each client with its state and bar', () => {
    const stream = fakeStream({ columns: 72, rows: 24 })
    const display = createRunDisplay(stream)
    display.phase(1, 'collecting', '0 of 2 updates')
    display.clientState('bob', { state: 'pulling' })
    display.clientState('ada', { state: 'training', done: 0.5, loss: 0.25 })
    vi.advanceTimersByTime(65_000)
    const screen = screenOf(stream.take())
    display.finish()
    expect(screen).toEqual([
      'round 1 · collecting · 0 of 2 updates · 1:05',
      `ada  training ${'█'.repeat(15)}${'░'.repeat(15)}  50 %  loss 0.2500`,
      'bob  pulling',
    ])
  })

  it('should follow an upload, message by message', () => {
    const stream = fakeStream({ columns: 80, rows: 24 })
    const display = createRunDisplay(stream)
    display.phase(1, 'collecting')
    display.upload('ada', 1_000_000, 4_000_000)
    vi.advanceTimersByTime(100)
    const half = stream.take()
    display.message('bob left')
    display.upload('ada', 4_000_000, 4_000_000)
    display.finish()
    expect(screenOf(half)[1]).toMatch(/^ada {2}uploading █+░+ +25 % {2}1\.0 MB of 4\.0 MB$/)
    const [message, , ada] = screenOf(half + stream.take())
    expect(message).toBe('bob left')
    expect(ada).toMatch(/^ada {2}uploading █+ 100 % {2}4\.0 MB of 4\.0 MB$/)
  })

  it('should not let a client take back what has arrived', () => {
    const stream = fakeStream({ columns: 80, rows: 24 })
    const display = createRunDisplay(stream)
    display.phase(1, 'collecting')
    display.upload('ada', 4_000_000, 4_000_000)
    display.clientState('ada', { state: 'uploading', done: 0.25 })
    display.finish()
    expect(screenOf(stream.take())[1]).toMatch(/^ada {2}uploading █+ 100 % {2}4\.0 MB of 4\.0 MB$/)
  })

  it('should sum up more than 12 clients, and those that the terminal is too low for', () => {
    for (const [clients, rows, lines] of [
      [12, 24, 13],
      [13, 24, 3],
      [5, 6, 3],
    ] as const) {
      const stream = fakeStream({ columns: 80, rows })
      const display = createRunDisplay(stream)
      display.phase(1, 'collecting')
      for (let i = 0; i < clients; i++)
        display.clientState(
          `client-${i}`,
          i < 2 ? { state: 'pulling' } : { state: 'training', done: i < 4 ? 0 : 1 },
        )
      display.finish()
      const screen = screenOf(stream.take())
      expect(screen).toHaveLength(lines)
      if (clients === 13) {
        expect(screen[1]).toBe('2 of 13 clients   pulling')
        expect(screen[2]).toMatch(/^11 of 13 clients {2}training █+░+ +81 %$/)
      }
    }
  })

  it('should fit the terminal, and 80x24 when it says 0x0', () => {
    for (const columns of [60, 80, 200, 0]) {
      const stream = fakeStream({ columns, rows: columns === 0 ? 0 : 24 })
      const display = createRunDisplay(stream)
      display.phase(1, 'collecting')
      display.clientState('hospital-north', { state: 'training', done: 0.3, loss: 0.12 })
      display.finish()
      expect(screenOf(stream.take())[1]!.length).toBeLessThanOrEqual(columns || 80)
    }
  })

  it('should forget the clients of the round before', () => {
    const stream = fakeStream({ columns: 80, rows: 24 })
    const display = createRunDisplay(stream)
    display.phase(1, 'collecting')
    display.clientState('ada', { state: 'training' })
    display.phase(1, 'fusing')
    vi.advanceTimersByTime(100)
    display.phase(2, 'collecting')
    display.finish()
    expect(screenOf(stream.take())).toEqual(['round 2 · collecting · 0:00'])
  })

  it('should write nothing between two equal looks, nor after the end', () => {
    const stream = fakeStream({ columns: 80, rows: 24 })
    const display = createRunDisplay(stream)
    display.phase(1, 'fusing')
    vi.advanceTimersByTime(100)
    stream.take()
    vi.advanceTimersByTime(800)
    expect(stream.take()).toBe('')
    display.finish()
    stream.take()
    vi.advanceTimersByTime(10_000)
    expect(stream.take()).toBe('')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('should colour only where the terminal says it can', () => {
    for (const hasColors of [true, false]) {
      const stream = fakeStream({ columns: 80, rows: 24, hasColors })
      const display = createRunDisplay(stream)
      display.phase(1, 'fusing')
      display.finish()
      expect(stream.take().includes('\u001b[1m')).toBe(hasColors)
    }
  })
})

describe('createRunDisplay in a file', () => {
  it('should write one line for each change of state and none for a tick', () => {
    const stream = fakeStream()
    const display = createRunDisplay(stream)
    display.phase(1, 'collecting', 'deadline in 600 s')
    display.clientState('ada', { state: 'training', done: 0.1 })
    display.clientState('ada', { state: 'training', done: 0.9 })
    display.phase(1, 'collecting', 'deadline in 500 s')
    display.message('one\ntwo')
    display.phase(2, 'collecting')
    display.clientState('ada', { state: 'training', done: 0 })
    display.finish()
    expect(stream.take()).toBe(`round 1: collecting (deadline in 600 s)
ada: training
one
two
round 2: collecting
ada: training
`)
  })

  it('should not tell of clients that leave after the end', () => {
    const stream = fakeStream()
    const display = createRunDisplay(stream)
    display.clientState('ada', { state: 'done', done: 1 })
    display.finish()
    display.clientState('ada', { state: 'away' })
    expect(stream.take()).toBe('ada: done\n')
  })

  it('should go through an upload once, whoever tells of it, and leave out what passes', () => {
    const stream = fakeStream()
    const display = createRunDisplay(stream)
    display.clientState('ada', { state: 'ready' })
    display.clientState('ada', { state: 'pulling', done: 1 })
    display.clientState('ada', { state: 'training', done: 1 })
    display.clientState('ada', { state: 'attributing', done: 1 })
    display.upload('ada', 1, 2_000_000)
    display.clientState('ada', { state: 'uploading', done: 0.5 })
    display.upload('ada', 2_000_000, 2_000_000)
    display.clientState('ada', { state: 'uploading', done: 1 })
    display.clientState('ada', { state: 'uploaded', done: 1 })
    display.clientState('ada', { state: 'evaluating', done: 0 })
    display.clientState('ada', { state: 'done', done: 1 })
    expect(stream.take()).toBe(`ada: ready
ada: training
ada: uploading
ada: uploaded, 2.0 MB
ada: done
`)
  })
})
