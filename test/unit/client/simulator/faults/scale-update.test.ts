import { describe, expect, it } from 'vitest'
import { scaleUpdate } from '../../../../../client/simulator/faults/scale-update.ts'
import { corruptUpdate } from '../../../../../client/simulator/faults/corrupt-update.ts'
import { RoundNumber } from '../../../../../shared/ids.ts'
import { subtractWeights } from '../../../../../shared/model/delta.ts'
import { ENCODINGS, isDelta } from '../../../../../shared/model/encodings.ts'
import { encodeSafetensors } from '../../../../../shared/model/safetensors.ts'
import { decodeUpdate, encodeUpdate } from '../../../../../shared/protocol/update.ts'
import { addWeights, asReceived, encodeModel } from '../../../../support/encoded-models.ts'
import { expectWithin } from '../../../../support/expect-within.ts'
import {
  hashOf,
  TOY_NETWORK,
  TOY_WIDTHS,
  toyUpdate,
  toyWeights,
} from '../../../../support/toy-run.ts'

const EXPECTED = { weights: toyWeights('any'), widths: TOY_WIDTHS, numClasses: 4 }

describe('scaleUpdate', () => {
  it('should multiply what training changed, and keep what else the update says', () => {
    const start = toyWeights('start')
    const { bytes } = toyUpdate('a', { scorer: 'conductance' })
    const before = Uint8Array.from(bytes)
    const honest = decodeUpdate(bytes, EXPECTED)
    const scaled = decodeUpdate(
      scaleUpdate(bytes, encodeSafetensors(start, { format: 'graft' }), 50),
      EXPECTED,
    )
    expect(bytes).toEqual(before)
    expect({ ...scaled, weights: [] }).toEqual({ ...honest, weights: [] })
    scaled.weights.forEach(({ data }, index) => {
      const [from, to] = [start[index]!.data, honest.weights[index]!.data]
      data.forEach((value, i) => {
        expect(value).toBeCloseTo(from[i]! + 50 * (to[i]! - from[i]!), 3)
      })
    })
  })

  it.each(ENCODINGS)('should do so in %s, to a file that can be fused', (encoding) => {
    const start = toyWeights('start')
    const trained = toyWeights('trained')
    const model = encodeModel(start, {}, encoding)
    const received = asReceived(start, encoding)
    const update = {
      round: RoundNumber.parse(1),
      architecture: TOY_NETWORK.name,
      numExamples: 10,
      classCounts: [4, 3, 2, 1],
      scorer: 'uniform',
      scores: TOY_WIDTHS.map((width) => new Float32Array(width).fill(1)),
      weights: isDelta(encoding) ? subtractWeights(trained, received) : trained,
      ...(isDelta(encoding) && { base: hashOf(model) }),
    }
    const expected = { ...EXPECTED, encoding }
    const bytes = encodeUpdate(update, encoding)
    const scaled = decodeUpdate(scaleUpdate(bytes, model, 50, encoding), expected)
    const sent = isDelta(encoding) ? addWeights(scaled.weights, received) : scaled.weights
    sent.forEach(({ data }, index) => {
      const [from, to] = [received[index]!.data, trained[index]!.data]
      const wanted = from.map((value, i) => value + 50 * (to[i]! - value))
      const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
      // What training has changed was rounded, too, before it was multiplied.
      expectWithin(data, wanted, 0.03 * largest + 1e-6)
    })
    expect(scaled.scores).toEqual(update.scores)
  })

  it.each(ENCODINGS)('should have a neighbour that breaks files in %s', (encoding) => {
    const weights = toyWeights('any')
    const facts = toyUpdate('any')
    const update = {
      ...{ round: facts.round, architecture: TOY_NETWORK.name, numExamples: facts.numExamples },
      ...{ classCounts: facts.classCounts, scorer: 'uniform', scores: [], weights },
      ...(isDelta(encoding) && { base: hashOf(facts.bytes) }),
    }
    const bytes = encodeUpdate(update, encoding)
    const expected = { ...EXPECTED, encoding }
    expect(() => decodeUpdate(corruptUpdate(bytes, 'nan'), expected)).toThrow(
      expect.objectContaining({ code: 'GRAFT_NOT_FINITE' }),
    )
    expect(() => decodeUpdate(corruptUpdate(bytes, 'shape'), expected)).toThrow(
      expect.objectContaining({ code: 'GRAFT_SHAPE_MISMATCH' }),
    )
  })
})
