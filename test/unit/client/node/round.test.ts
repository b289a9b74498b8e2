import { beforeAll, describe, expect, it } from 'vitest'
import { createWork, type Participant, receive, takePart } from '../../../../client/node/round.ts'
import { createPrivacy, type Privacy } from '../../../../client/privacy/privacy.ts'
import type { OutgoingUpdate } from '../../../../client/node/transfer.ts'
import type { RoundNumber } from '../../../../shared/ids.ts'
import { countClasses, subset } from '../../../../shared/data/subset.ts'
import { parseArchitecture } from '../../../../shared/model/architectures.ts'
import { networkOf } from '../../../../shared/model/open-network.ts'
import { initialWeights } from '../../../../shared/model/initial-weights.ts'
import { decodeSafetensors, encodeSafetensors } from '../../../../shared/model/safetensors.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import type {
  ClientProgress,
  EvaluationReport,
  TrainingRequest,
} from '../../../../shared/protocol/messages.ts'
import type { RunSettings } from '../../../../shared/protocol/run-settings.ts'
import { decodeUpdate } from '../../../../shared/protocol/update.ts'
import { addWeights, asReceived, encodeModel } from '../../../support/encoded-models.ts'
import { blobExamples } from '../../../support/array-examples.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectWithin } from '../../../support/expect-within.ts'
import { expectNoLeakAsync } from '../../../support/expect-no-leak.ts'
import { clientId, round, RUN, SETTINGS, sha256 } from '../../../support/test-gateway.ts'

const SHAPE = { inputShape: [4], numClasses: 2 }
const never = new AbortController().signal

beforeAll(async () => {
  await startTestEngine()
})

describe('takePart', () => {
  it('should send an update of its name, round and data', async () => {
    const client = participant()
    const outcome = await takePart(client, invitation(1), never)
    const [update] = client.pushed
    expect(update!.round).toBe(1)
    expect(outcome.sizeBytes).toBe(update!.bytes.length)
    expect(update!.commit()).toMatchObject({
      numExamples: 1000,
      classCounts: countClasses(client.data.train),
    })
    expect(new Set(client.progress.map(({ phase }) => phase))).toEqual(
      new Set(['training', 'attributing']),
    )
  })

  it('should send the same bytes again, and others in another round or under another name', async () => {
    const bytesOf = async (name: string, n: number) => {
      const client = participant(name)
      await takePart(client, invitation(n), never)
      return sha256(client.pushed[0]!.bytes)
    }
    const first = await bytesOf('client-0', 1)
    expect(await bytesOf('client-0', 1)).toBe(first)
    expect(await bytesOf('client-0', 2)).not.toBe(first)
    expect(await bytesOf('client-1', 1)).not.toBe(first)
  })

  it('should send what training has changed of the model as it got it, when the run asks so', async () => {
    const encoding = 'int8-delta'
    const model = encodeModel(decodeSafetensors(globalModel()).tensors, {}, encoding)
    const client = participant('client-0', undefined, undefined, encoding)
    client.wire.pull = async () => model
    await takePart(client, { ...invitation(1), model: blobOf(model) }, never)
    const weights = decodeSafetensors(globalModel()).tensors
    const sent = decodeUpdate(client.pushed[0]!.bytes, {
      ...{ weights, widths: [3, 2], numClasses: 2, encoding },
    })
    expect(sent.base).toBe(sha256(model))
    // The same training, sent as it is.
    const received = asReceived(weights, encoding)
    const whole = participant()
    whole.wire.pull = async () => encodeSafetensors(received, {})
    await takePart(whole, invitation(1), never)
    const trained = decodeSafetensors(whole.pushed[0]!.bytes).tensors
    addWeights(sent.weights, received).forEach(({ data }, index) => {
      const wanted = trained[index]!.data
      const start = received[index]!.data
      const moved = wanted.reduce((most, v, i) => Math.max(most, Math.abs(v - start[i]!)), 0)
      expectWithin(data, wanted, moved / 250 + 1e-6)
      expect(moved).toBeGreaterThan(0)
    })
  })

  it('should stay nearer to the global model when the strategy asks for a proximal term', async () => {
    const global = decodeSafetensors(globalModel()).tensors
    const distance = async (training?: TrainingRequest) => {
      const client = participant()
      await takePart(client, { ...invitation(1), ...(training && { training }) }, never)
      const { tensors } = decodeSafetensors(client.pushed[0]!.bytes)
      return Math.hypot(
        ...global.flatMap(({ data }, w) => [...data].map((x, i) => x - tensors[w]!.data[i]!)),
      )
    }
    const free = await distance()
    expect(await distance({})).toBe(free)
    expect(await distance({ proximal: 3 })).toBeLessThan(0.9 * free)
  })

  it('should correct its gradients by the blobs that the strategy names', async () => {
    const global = decodeSafetensors(globalModel()).tensors
    const filled = (value: number) => {
      const tensors = global.map((tensor) => ({ ...tensor, data: tensor.data.map(() => value) }))
      return encodeSafetensors(tensors, {})
    }
    const [c, own] = [filled(3), filled(1)]
    const lastBias = async (training?: TrainingRequest) => {
      const client = participant()
      const pulled: { id: string; isOwn: boolean }[] = []
      const pull: Participant['wire']['pull'] = async ({ id }, { isOwn }) => {
        pulled.push({ id, isOwn: isOwn === true })
        return [c, own].find((bytes) => sha256(bytes) === id) ?? globalModel()
      }
      const joined = {
        ...client.joined,
        settings: {
          ...SETTINGS,
          // One step of all examples: what is added can be seen in the update.
          training: { ...SETTINGS.training, optimizer: 'plain-sgd', batchSize: 1000 } as const,
        },
      }
      const asked = { ...invitation(1), ...(training && { training }) }
      await takePart({ ...client, joined, wire: { ...client.wire, pull } }, asked, never)
      const { tensors } = decodeSafetensors(client.pushed[0]!.bytes)
      return { value: tensors.find(({ name }) => name === 'fc2.bias')!.data[0]!, pulled }
    }
    const { value: plain } = await lastBias()
    const added = await lastBias({ correction: { add: blobOf(c) } })
    expect(added.value - plain).toBeCloseTo(-0.1 * 3, 6)
    const both = await lastBias({ correction: { add: blobOf(c), subtract: blobOf(own) } })
    expect(both.value - plain).toBeCloseTo(-0.1 * (3 - 1), 6)
    expect(both.pulled.slice(1)).toEqual([
      { id: sha256(c), isOwn: false },
      { id: sha256(own), isOwn: true },
    ])
  })

  it('should not learn how frequent its classes are, when the run says so', async () => {
    const lean = async (logitAdjustment?: true) => {
      const client = participant()
      const { train } = client.data
      const isKept = (i: number) => train.labels[i] === 0 || i % 20 === 0
      const skewed = subset(train, [...train.labels.keys()].filter(isKept))
      const training = { ...SETTINGS.training, ...(logitAdjustment && { logitAdjustment }) }
      const joined = { ...client.joined, settings: { ...SETTINGS, training } }
      await takePart(
        { ...client, joined, data: { ...client.data, train: skewed } },
        invitation(1),
        never,
      )
      const { tensors } = decodeSafetensors(client.pushed[0]!.bytes)
      const [frequent, rare] = tensors.at(-1)!.data
      return frequent! - rare!
    }
    expect(await lean(true)).toBeLessThan(await lean())
  })

  it('should leave no tensor behind', async () => {
    await expectNoLeakAsync(() => takePart(participant(), invitation(1), never))
  })

  it('should leave no tensor behind when its round ends in the middle', async () => {
    await expectNoLeakAsync(async () => {
      const over = new AbortController()
      const client = participant('client-0', (message) => {
        if (message.phase === 'attributing') over.abort(new Error('over'))
      })
      await expect(takePart(client, invitation(1), over.signal)).rejects.toThrow('over')
      expect(client.pushed).toEqual([])
    })
  })

  it('should leave no tensor behind when the model is of another architecture', async () => {
    const other = modelBytes('mlp:4-5-2')
    await expectNoLeakAsync(async () => {
      const client = participant()
      client.wire.pull = async () => other
      await expect(takePart(client, invitation(1), never)).rejects.toMatchObject({
        code: 'GRAFT_SHAPE_MISMATCH',
      })
    })
  })
})

describe('receive', () => {
  const published = { run: RUN, round: round(1), model: blobOf(globalModel()), isNew: true }

  it('should report how the model does, and leave no tensor behind', async () => {
    await expectNoLeakAsync(async () => {
      const client = participant()
      const report = await receive(client, published)
      expect(client.reported).toEqual([report])
      expect(report).toMatchObject({ round: 1, numExamples: 20 })
    })
  })

  it('should do nothing without test examples', async () => {
    const client = participant()
    expect(
      await receive({ ...client, data: { ...client.data, judge: null } }, published),
    ).toBeNull()
    expect(client.reported).toEqual([])
    // The coordinator need not wait for it.
    expect(client.declined).toEqual([1])
  })
})

describe('a private client', () => {
  const privacy = () => createPrivacy({ clip: 0.01, noise: 0, delta: 1e-5 })

  it('should send no more than the clipped update: no scores, no counts, no seconds', async () => {
    const client = participant('client-0', undefined, privacy())
    await takePart(client, invitation(1), never)
    const [update] = client.pushed
    expect(update!.commit()).toEqual({
      numExamples: 200,
      classCounts: [100, 100],
      seconds: { train: 0, attribute: 0, upload: 0 },
    })
    const { tensors, metadata } = decodeSafetensors(update!.bytes)
    expect(tensors.some(({ name }) => name.startsWith('attribution'))).toBe(false)
    expect(metadata['class_counts']).toBe('[100,100]')
    const before = decodeSafetensors(globalModel()).tensors
    const squares = tensors.flatMap(({ data }, t) =>
      Array.from(data, (value, i) => (value - before[t]!.data[i]!) ** 2),
    )
    expect(Math.sqrt(squares.reduce((sum, square) => sum + square, 0))).toBeCloseTo(0.01, 5)
  })

  it('should judge no model by its examples', async () => {
    const client = participant('client-0', undefined, privacy())
    const published = { run: RUN, round: round(1), model: blobOf(globalModel()), isNew: true }
    expect(await receive(client, published)).toBeNull()
    expect(client.reported).toEqual([])
    expect(client.declined).toEqual([1])
  })
})

// Helpers

function modelBytes(spec: string): Uint8Array {
  const architecture = parseArchitecture(spec, SHAPE)
  return encodeSafetensors(initialWeights(architecture, createRng('global')), {})
}

function globalModel(): Uint8Array {
  return modelBytes(SETTINGS.model)
}

function blobOf(bytes: Uint8Array) {
  return { id: sha256(bytes), sizeBytes: bytes.length }
}

function invitation(n: number) {
  return { run: RUN, round: round(n), model: blobOf(globalModel()), deadlineSeconds: 60 }
}

/** A client whose wire is a note-book. More examples than attribution looks at. */
function participant(
  name = 'client-0',
  onProgress?: (message: ClientProgress) => void,
  privacy?: Privacy,
  encoding?: RunSettings['encoding'],
) {
  const pushed: OutgoingUpdate[] = []
  const reported: EvaluationReport[] = []
  const declined: RoundNumber[] = []
  const progress: ClientProgress[] = []
  const joined = {
    run: RUN,
    clientId: clientId(name),
    settings: { ...SETTINGS, ...(encoding && { encoding }) },
  }
  return {
    run: RUN,
    joined,
    work: createWork(networkOf(SETTINGS.model, SHAPE), encoding, privacy),
    data: { train: blobExamples(SHAPE, 1000, 'train'), judge: blobExamples(SHAPE, 20, 'test') },
    wire: {
      pull: async () => globalModel(),
      push: async (update: OutgoingUpdate) => {
        pushed.push(update)
      },
      decline: async (round: RoundNumber) => {
        declined.push(round)
      },
      report: async (report: EvaluationReport) => {
        reported.push(report)
      },
    } satisfies Participant['wire'],
    onProgress: (message: ClientProgress) => {
      progress.push(message)
      onProgress?.(message)
    },
    pushed,
    reported,
    declined,
    progress,
  }
}
