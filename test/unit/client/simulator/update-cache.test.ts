import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { LocalTask, Participant } from '../../../../client/node/round.ts'
import { reuseUpdates, updateKey } from '../../../../client/simulator/update-cache.ts'
import type { RunSettings } from '../../../../shared/protocol/run-settings.ts'
import { blobExamples } from '../../../support/array-examples.ts'
import { createTemporaryFolder } from '../../../support/temporary-folder.ts'
import { clientId, round, RUN, SETTINGS, sha256 } from '../../../support/test-gateway.ts'

const SHAPE = { inputShape: [4], numClasses: 2 }
const OPTIONS = { progress: () => undefined, signal: new AbortController().signal }

describe('updateKey', () => {
  it('should not depend on what the coordinator does with an update', () => {
    const other: Partial<RunSettings> = {
      strategy: 'nt',
      quorum: 3,
      deadlineSeconds: 1,
      rounds: 9,
      tune: { ...SETTINGS.tune, epochs: 99 },
    }
    expect(updateKey(task({ settings: other }), 'wasm')).toBe(updateKey(task(), 'wasm'))
  })

  it.each([
    ['seed', task({ settings: { seed: 8 } })],
    ['training', task({ settings: { training: { ...SETTINGS.training, epochs: 2 } } })],
    ['scores', task({ settings: { scorer: 'uniform' } })],
    ['client', task({ name: 'client-9' })],
    ['round', task({ number: 2 })],
    ['global model', task({ model: 'other' })],
    ['data', task({ data: 'other' })],
    ['proxy set', task({ proxy: 'public' })],
    ['correction', task({ correction: 'c' })],
  ])('should be another for another %s', (_, other) => {
    expect(updateKey(other, 'wasm')).not.toBe(updateKey(task(), 'wasm'))
  })

  it('should be another on another engine', () => {
    expect(updateKey(task(), 'native')).not.toBe(updateKey(task(), 'wasm'))
  })
})

describe('reuseUpdates', () => {
  it('should train once, and give the same bytes and seconds again', async () => {
    await using folder = await createTemporaryFolder()
    const first = client(folder.path)
    const second = client(folder.path)
    const made = await first.work.makeUpdate(task(), OPTIONS)
    const again = await second.work.makeUpdate(task(), OPTIONS)
    expect(Buffer.from(again.bytes)).toEqual(Buffer.from(made.bytes))
    expect(again.seconds).toEqual(made.seconds)
    expect([first.trained(), second.trained()]).toEqual([1, 0])
    expect([first.reused, second.reused]).toEqual([[], ['client-0']])
  })

  it('should train again what was damaged, and what is of a later round', async () => {
    await using folder = await createTemporaryFolder()
    const { work, trained } = client(folder.path)
    await work.makeUpdate(task(), OPTIONS)
    for (const name of await readdir(folder.path)) {
      if (name.endsWith('.safetensors')) await writeFile(join(folder.path, name), 'damaged')
    }
    await work.makeUpdate(task(), OPTIONS)
    expect(trained()).toBe(2)
    await work.makeUpdate(task({ number: 2 }), OPTIONS)
    await work.makeUpdate(task({ number: 2 }), OPTIONS)
    expect(trained()).toBe(4)
  })
})

// Helpers

interface Change {
  settings?: Partial<RunSettings>
  name?: string
  number?: number
  model?: string
  data?: string
  proxy?: string
  correction?: string
}

function task(change: Change = {}) {
  const { settings, name = 'client-0', number = 1, model, data, proxy, correction } = change
  const blobOf = (text: string) => ({ id: sha256(Buffer.from(text)), sizeBytes: text.length })
  const task: LocalTask = {
    joined: { run: RUN, clientId: clientId(name), settings: { ...SETTINGS, ...settings } },
    data: { train: blobExamples(SHAPE, 20, data ?? 'train'), judge: null },
    invitation: {
      run: RUN,
      round: round(number),
      model: blobOf(model ?? 'model'),
      ...(proxy !== undefined && { proxy: blobOf(proxy) }),
      ...(correction !== undefined && { training: { correction: { add: blobOf(correction) } } }),
      deadlineSeconds: Math.PI,
    },
    globalModel: Buffer.from(model ?? 'model'),
    proxy: proxy === undefined ? undefined : Buffer.from(proxy),
  }
  return task
}

/** A client whose training is counted. */
function client(folder: string) {
  let trained = 0
  const reused: string[] = []
  const participant = {
    work: {
      makeUpdate: async () => ({
        bytes: Uint8Array.of(1, 2, 3),
        seconds: { train: ++trained, attribute: 0 },
      }),
    },
  } as unknown as Participant
  const onReused = ({ joined }: LocalTask) => void reused.push(joined.clientId)
  const { work } = reuseUpdates({ folder, engine: 'wasm', onReused }, participant)
  return { work, reused, trained: () => trained }
}
