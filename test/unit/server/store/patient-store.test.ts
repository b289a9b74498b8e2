import { describe, expect, it } from 'vitest'
import { createPatientStore } from '../../../../server/store/patient-store.ts'
import type { JournalEntry, Store } from '../../../../server/store/store.ts'
import { GraftError } from '../../../../shared/errors.ts'
import { RunId } from '../../../../shared/ids.ts'

const RUN = RunId.parse('00000000-0000-4000-8000-000000000001')
const silent = () => new GraftError('GRAFT_DATABASE_UNAVAILABLE', 'No answer.')

describe('createPatientStore', () => {
  it('should wait for an answer, and tell of the silence once', async () => {
    const { store, told } = patient(journalStore({ lost: ['before', 'before'] }))
    expect(await store.appendEvent(RUN, 'a')).toBe(1)
    expect(await store.appendEvent(RUN, 'b')).toBe(2)
    expect(told).toEqual(['silent', 'answers'])
    expect((await store.readJournal(RUN)).map(({ event }) => event)).toEqual(['a', 'b'])
  })

  it('should not write an event again whose answer was lost', async () => {
    const { store } = patient(journalStore({ lost: ['after'] }))
    expect(await store.appendEvent(RUN, 'a')).toBe(1)
    expect(await store.appendEvent(RUN, 'b')).toBe(2)
    expect((await store.readJournal(RUN)).map(({ event }) => event)).toEqual(['a', 'b'])
  })

  it('should keep the order of events that wait', async () => {
    const { store } = patient(journalStore({ lost: ['before', 'after'] }))
    const seqs = await Promise.all(['a', 'b', 'c'].map((event) => store.appendEvent(RUN, event)))
    expect(seqs).toEqual([1, 2, 3])
    expect((await store.readJournal(RUN)).map(({ event }) => event)).toEqual(['a', 'b', 'c'])
  })

  it.each(['before', 'after'] as const)(
    'should write several events once when the answer is lost %s they are written',
    async (when) => {
      const { store } = patient(journalStore({ lost: [when] }))
      expect(await store.appendEvents(RUN, ['a', 'b'])).toBe(2)
      expect(await store.appendEvents(RUN, ['c'])).toBe(3)
      expect((await store.readJournal(RUN)).map(({ event }) => event)).toEqual(['a', 'b', 'c'])
    },
  )

  it('should give up when it has waited long enough, and at once for any other error', async () => {
    const impatient = patient(journalStore({ lost: ['before'] }), { seconds: 0 })
    await expect(impatient.store.appendEvent(RUN, 'a')).rejects.toMatchObject({
      code: 'GRAFT_DATABASE_UNAVAILABLE',
    })
    const { store, told } = patient({
      ...journalStore({}),
      appendEvents: async () => {
        throw new RangeError('no such run')
      },
    })
    await expect(store.appendEvent(RUN, 'a')).rejects.toThrow('no such run')
    expect(told).toEqual([])
  })

  it('should stop waiting when it is told to', async () => {
    const end = new AbortController()
    const { store } = patient(journalStore({ lost: ['before'] }), {
      signal: end.signal,
      onSilence: () => end.abort(new Error('Ctrl-C')),
    })
    await expect(store.appendEvent(RUN, 'a')).rejects.toThrow()
  })
})

// Helpers

function patient(store: Store, changes: Partial<Parameters<typeof createPatientStore>[1]> = {}) {
  const told: string[] = []
  const patience = {
    seconds: 60,
    onSilence: () => void told.push('silent'),
    onAnswer: () => void told.push('answers'),
    signal: new AbortController().signal,
    ...changes,
  }
  return { store: createPatientStore(store, patience), told }
}

/** A journal in memory that loses some answers: `before` the event is written, or `after`. */
function journalStore({ lost = [] }: { lost?: ('before' | 'after')[] }): Store {
  const entries: JournalEntry[] = []
  const losses = [...lost]
  return {
    readJournal: async () => [...entries],
    appendEvents: async (_run, events) => {
      const loss = losses.shift()
      if (loss === 'before') throw silent()
      for (const event of events) {
        entries.push({ seq: entries.length + 1, event, at: new Date(0) })
      }
      if (loss === 'after') throw silent()
      return entries.length
    },
  } as Partial<Store> as Store
}
