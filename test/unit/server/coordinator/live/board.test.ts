import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import pino from 'pino'
import { describe, expect, it } from 'vitest'
import { createBoard } from '../../../../../server/coordinator/live/board.ts'
import { startRound, step } from '../../../../../server/coordinator/round-state.ts'
import { ClientId, RoundNumber, RunId } from '../../../../../shared/ids.ts'

const RULES = { cohortSize: 3, quorum: 2, goal: 3 }
const RUN = { id: RunId.parse('7d3c5e0a-5b1f-4f0e-9a53-0c1d2e3f4a5b'), number: 1 }

describe('createBoard', () => {
  it('should log each event, and the memory once a phase, of however many clients', async () => {
    const lines = new PassThrough()
    const board = createBoard({
      ...{ engine: 'test', staysForRuns: false, log: pino({ level: 'debug' }, lines) },
    })
    let seq = 0
    for (const round of [1, 2].map((number) => RoundNumber.parse(number))) {
      let state = startRound(round)
      for (const name of ['ada', 'bob', 'eve']) {
        const event = { type: 'client-ready', round, client: ClientId.parse(name) } as const
        state = step(RULES, state, event).state
        board.appended(RUN as never, seq++, event, state)
      }
    }
    lines.end()
    const written = (await text(lines)).trim().split('\n')
    const logged = written.map((line) => JSON.parse(line) as Record<string, unknown>)
    const memory = logged.filter(({ event }) => event === 'memory')
    expect(memory.map(({ round, phase }) => [round, phase])).toEqual([
      [1, 'recruiting'],
      [1, 'collecting'],
      [2, 'recruiting'],
      [2, 'collecting'],
    ])
    expect(logged).toHaveLength(6 + memory.length)
    expect(memory[0]).toMatchObject({ run: RUN.id, rssMb: expect.any(Number) as number })
  })
})
