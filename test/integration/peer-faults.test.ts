import { access, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { GraftError } from '../../shared/errors.ts'
import { encodeSafetensors } from '../../shared/model/safetensors.ts'
import { RoundNumber } from '../../shared/ids.ts'
import type { Weights } from '../../shared/model/weights.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'
import { startFederation } from '../support/test-federation.ts'
import { toyUpdate, toyWeights, updateWithNaN } from '../support/toy-run.ts'

/** What a client that has sent this hears, and what it may not spoil. */
const POISON: readonly (readonly [string, () => ReturnType<typeof toyUpdate>, string])[] = [
  [
    'three garbage bytes',
    () => ({ ...toyUpdate('b'), bytes: Uint8Array.of(7, 0, 255) }),
    'GRAFT_MODEL_FILE_INVALID',
  ],
  [
    'a payload that is no weights',
    () => ({ ...toyUpdate('b'), bytes: new TextEncoder().encode(JSON.stringify({ hello: 1 })) }),
    'GRAFT_MODEL_FILE_INVALID',
  ],
  ['a tensor too few', () => withTensors((weights) => weights.slice(1)), 'GRAFT_SHAPE_MISMATCH'],
  [
    'a tensor too many',
    () => withTensors(([first, ...rest]) => [first!, ...rest, { ...first!, name: 'fc9.kernel' }]),
    'GRAFT_UPLOAD_TOO_LARGE',
  ],
  ['a weight that is not a number', () => updateWithNaN('b'), 'GRAFT_NOT_FINITE'],
  [
    'an update of round 99',
    () => ({ ...toyUpdate('b'), round: RoundNumber.parse(99) }),
    'GRAFT_ROUND_STALE',
  ],
]

// The faults that the nearest federated framework was seen to fall to, one after the other.
describe('a coordinator', () => {
  it.each(POISON)('should refuse %s, and finish the round without it', async (_, poison, code) => {
    await using folder = await createTemporaryFolder()
    const settings = { clients: 3, quorum: 2, deadlineSeconds: 3 }
    await using federation = await startFederation({ home: folder.path, settings })
    const [a, b, c] = [
      ...[await federation.puppet('a'), await federation.puppet('b'), await federation.puppet('c')],
    ] as const
    await b.hears('round:invited')
    await expect(b.send(poison())).rejects.toMatchObject({ code })
    await Promise.all([a, c].map((puppet, i) => puppet.send(toyUpdate(`${i}`))))

    const [report] = await federation.reports
    expect(report?.parents.map(({ client }) => client)).toEqual(['a', 'c'])
    expect(Number.isFinite(report?.fused.loss)).toBe(true)
  })

  it('should let a client that was refused come back with an update that is whole', async () => {
    await using folder = await createTemporaryFolder()
    await using federation = await startFederation({ home: folder.path })
    const [a, b] = [await federation.puppet('a'), await federation.puppet('b')]
    await b.hears('round:invited')
    await expect(b.send(updateWithNaN('b'))).rejects.toThrow(GraftError)
    await Promise.all([a.send(toyUpdate('a')), b.send(toyUpdate('b'))])
    expect((await federation.reports)[0]).toMatchObject({ cohort: 2, uploads: 2 })
    expect(await readdir(join(folder.path, 'quarantine'))).toHaveLength(1)
  })

  it('should not wait for ever for a client that died after the others had sent', async () => {
    await using folder = await createTemporaryFolder()
    const settings = { clients: 3, quorum: 2, deadlineSeconds: 3 }
    await using federation = await startFederation({ home: folder.path, settings })
    const [a, b] = [await federation.puppet('a'), await federation.puppet('b')]
    const dying = await federation.puppet('c')
    await dying.hears('round:invited')
    await Promise.all([a, b].map((puppet, i) => puppet.send(toyUpdate(`${i}`))))
    dying.close()
    expect((await federation.reports)[0]).toMatchObject({ cohort: 3, uploads: 2 })
  })

  it('should go on with the same round and the same model when it is started again in a round', async () => {
    await using folder = await createTemporaryFolder()
    let invited
    {
      await using stopped = await startFederation({ home: folder.path })
      const [a] = [await stopped.puppet('a'), await stopped.puppet('b')]
      invited = await a.hears('round:invited')
      await a.send(toyUpdate('a'))
      stopped.stop(new Error('stopped'))
      await expect(stopped.reports).rejects.toThrow('stopped')
    }
    await using federation = await startFederation({ home: folder.path })
    const [, b] = [await federation.puppet('a'), await federation.puppet('b')]
    const { round, model, run } = await b.hears('round:invited')
    expect({ round, model, run }).toEqual({
      ...{ round: invited.round, model: invited.model, run: invited.run },
    })
    await access(join(folder.path, 'blobs', model.id.slice(0, 2), model.id.slice(2)))
    await b.send(toyUpdate('b'))
    expect((await federation.reports)[0]).toMatchObject({ cohort: 2, uploads: 2 })
  })
})

/** The update of `b` with other tensors, under metadata that fits. */
function withTensors(change: (weights: Weights) => Weights) {
  const facts = toyUpdate('b')
  const bytes = encodeSafetensors(change(toyWeights('b')), {
    ...{ format: 'graft', architecture: 'mlp:6-12-4', round: '1', scorer: 'uniform' },
    num_examples: String(facts.numExamples),
    class_counts: JSON.stringify(facts.classCounts),
  })
  return { ...facts, bytes }
}
