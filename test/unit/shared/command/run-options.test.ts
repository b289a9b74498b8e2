import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { SCORER_NAMES } from '../../../../shared/attribution/scorer-names.ts'
import { defineCommand } from '../../../../shared/command/command.ts'
import { RUN_OPTIONS, toRunSettings, toWords } from '../../../../shared/command/run-options.ts'
import { parseMessage } from '../../../../shared/protocol/refusal.ts'
import { RunSettings } from '../../../../shared/protocol/run-settings.ts'
import { OPTIMIZERS } from '../../../../shared/training/optimizer-settings.ts'
import { hashOf } from '../../../support/toy-run.ts'

const DEFAULTS = z.object(RUN_OPTIONS).parse({})

describe('toWords', () => {
  it('should spell only what was given or has a default', () => {
    const words = toWords({ ...DEFAULTS, localEpochs: 5 })
    expect(words.join(' ')).toContain('--local-epochs 5')
    expect(words.filter((word) => word.startsWith('--'))).not.toContain('--examples-per-client')
  })

  it('should give another process the same options', async () => {
    await fc.assert(
      fc.asyncProperty(anyOptions(), async (options) => {
        expect(await parse(toWords(options))).toEqual(options)
      }),
    )
  })
})

describe('toRunSettings', () => {
  it('should name an encoding only where it is another, so that an older client joins all other runs', () => {
    // It knows no such setting, and its schemas are as strict.
    const older = RunSettings.omit({ encoding: true })
    expect(older.safeParse(toRunSettings(DEFAULTS, null)).success).toBe(true)
    const settings = toRunSettings({ ...DEFAULTS, encoding: 'int8-delta' }, null)
    expect(settings.encoding).toBe('int8-delta')
    expect(() => parseMessage('answer to run:join', older, settings)).toThrow(
      expect.objectContaining({
        code: 'GRAFT_MESSAGE_INVALID',
        message: expect.stringMatching(/encoding.*same Graft version/s) as string,
      }),
    )
  })

  it('should say what each option decides', () => {
    expect(toRunSettings(DEFAULTS, null)).toEqual({
      seed: 7,
      dataset: 'mnist',
      model: 'mlp',
      initialModel: null,
      partition: 'iid',
      examplesPerClient: null,
      clients: 2,
      rounds: 1,
      strategy: 'nt',
      proxy: 1000,
      rehearse: false,
      scorer: 'conductance',
      training: { epochs: 2, batchSize: 64, optimizer: 'adam', learningRate: 0.001 },
      tune: { mode: 'both', epochs: 30, learningRate: 0.001, batchSize: 64 },
      quorum: 2,
      deadlineSeconds: 600,
    })
  })

  it.each([
    { quorum: undefined, wanted: 5 },
    { quorum: 3, wanted: 3 },
    { quorum: 9, wanted: 5 },
  ])('should ask $wanted of 5 clients for a quorum of $quorum', ({ quorum, wanted }) => {
    expect(toRunSettings({ ...DEFAULTS, clients: 5, quorum }, null).quorum).toBe(wanted)
  })

  it.each([
    { goal: 3, quorum: undefined, wanted: { goal: 3, quorum: 3 } },
    { goal: 3, quorum: 2, wanted: { goal: 3, quorum: 2 } },
    { goal: 3, quorum: 4, wanted: { goal: 3, quorum: 3 } },
    { goal: 5, quorum: 4, wanted: { goal: undefined, quorum: 4 } },
    { goal: 9, quorum: undefined, wanted: { goal: undefined, quorum: 5 } },
  ])('should take a goal of $goal updates of 5 clients, quorum $quorum', ({ wanted, ...given }) => {
    const { goal, quorum } = toRunSettings({ ...DEFAULTS, clients: 5, ...given }, null)
    expect({ goal, quorum }).toEqual(wanted)
  })

  it('should announce data of the user’s own by what they are, not by their path', () => {
    const runData = {
      inputShape: [2],
      numClasses: 2,
      normalisation: { mean: [0, 0], std: [1, 1] },
      sha256: hashOf(new Uint8Array(2)),
    }
    const own = { name: 'flowers', runData }
    const settings = toRunSettings({ ...DEFAULTS, data: '/home/me/flowers' }, null, own)
    expect(settings).toMatchObject({ dataset: 'flowers', data: runData })
    expect(JSON.stringify(settings)).not.toContain('/home/me')
    expect(RunSettings.parse(settings)).toEqual(settings)
  })

  it('should name the model to start from by its hash, not by its path', () => {
    const hash = hashOf(new Uint8Array(1))
    const settings = toRunSettings({ ...DEFAULTS, from: 'here.safetensors' }, hash)
    expect(settings.initialModel).toBe(hash)
    expect(JSON.stringify(settings)).not.toContain('here')
  })

  it('should give settings that clients accept, whatever the options', () => {
    fc.assert(
      fc.property(anyOptions(), (options) => {
        const settings = toRunSettings(options, null)
        expect(RunSettings.parse(settings)).toEqual(settings)
      }),
    )
  })
})

// Helpers

type Options = typeof DEFAULTS

async function parse(words: string[]): Promise<Options> {
  let options: Options | undefined
  const command = defineCommand({
    name: 'try',
    summary: 'tries',
    examples: ['graft try'],
    options: RUN_OPTIONS,
    run: (given) => void (options = given),
  })
  await command.parseAsync(words, { from: 'user' })
  return options!
}

function anyOptions(): fc.Arbitrary<Options> {
  const count = fc.integer({ min: 1, max: 1000 })
  const rate = fc.double({ min: 1e-9, max: 10, noNaN: true })
  const text = fc.string({ minLength: 1 })
  return fc
    .record(
      {
        dataset: text,
        data: text,
        label: text,
        imageSize: fc.constant('32x16'),
        channels: fc.constantFrom(1 as const, 3 as const),
        arrays: fc.constant('a,b'),
        model: text,
        from: text,
        partition: text,
        strategy: text,
        clients: count,
        rounds: count,
        proxy: count,
        rehearse: fc.constant(true),
        logitAdjustment: fc.constant(true),
        examplesPerClient: count,
        localEpochs: count,
        batchSize: count,
        optimizer: fc.constantFrom(...OPTIMIZERS),
        learningRate: rate,
        scores: fc.constantFrom(...SCORER_NAMES),
        tune: fc.constantFrom('both', 'labels', 'distill', 'none'),
        publish: fc.constantFrom('better', 'always'),
        tuneEpochs: fc.nat(1000),
        tuneLearningRate: rate,
        quorum: count,
        goal: count,
        deadline: fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
        seed: fc.nat(2 ** 32 - 1),
      },
      { requiredKeys: [] },
    )
    .map((given) => z.object(RUN_OPTIONS).parse(given))
}
