import { z } from 'zod'
import type { ExampleSet } from '../data/example-set.ts'
import { GraftError } from '../errors.ts'
import { decodeSafetensors, encodeSafetensors } from '../model/safetensors.ts'
import { assertFinite, sizeOf } from '../model/weights.ts'
import { parseMessage } from './refusal.ts'

const Metadata = z.strictObject({
  format: z.literal('graft-examples'),
  num_classes: z.string().regex(/^[1-9]\d{0,5}$/),
})

/** @returns a safetensors file of labelled examples; the same set gives the same bytes */
export function encodeProxySet(examples: ExampleSet): Uint8Array {
  const { inputShape, numClasses, labels } = examples
  const indices = Int32Array.from(labels.keys())
  const tensors = [
    { name: 'inputs', shape: [labels.length, ...inputShape], data: examples.inputs(indices) },
    { name: 'labels', shape: [labels.length], data: Float32Array.from(labels) },
  ]
  return encodeSafetensors(tensors, { format: 'graft-examples', num_classes: String(numClasses) })
}

/**
 * Reads what {@link encodeProxySet} wrote.
 *
 * @returns a set that keeps its inputs in memory
 * @throws GraftError GRAFT_MODEL_FILE_INVALID, GRAFT_MESSAGE_INVALID, GRAFT_SHAPE_MISMATCH, GRAFT_NOT_FINITE
 */
export function decodeProxySet(bytes: Uint8Array): ExampleSet {
  const { tensors, metadata } = decodeSafetensors(bytes)
  const { num_classes } = parseMessage('metadata of the proxy set', Metadata, metadata)
  const [inputs, labels, ...others] = tensors
  if (inputs?.name !== 'inputs' || labels?.name !== 'labels' || others.length > 0) {
    throw mismatch(`holds ${tensors.map(({ name }) => name).join(', ')}, not inputs and labels`)
  }
  const [size, ...inputShape] = inputs.shape
  if (labels.shape.length !== 1 || labels.shape[0] !== size) {
    throw mismatch(`has inputs [${inputs.shape}] and labels [${labels.shape}]`)
  }
  assertFinite(tensors)
  const numClasses = Number(num_classes)
  const wrong = labels.data.find(
    (label) => !Number.isInteger(label) || label < 0 || label >= numClasses,
  )
  if (wrong !== undefined) throw mismatch(`has label ${wrong} among ${numClasses} classes`)
  const length = sizeOf(inputShape)
  return {
    inputShape,
    numClasses,
    labels: Int32Array.from(labels.data),
    inputs(indices) {
      const rows = new Float32Array(indices.length * length)
      for (let i = 0; i < indices.length; i++) {
        const index = indices[i]!
        if (!(index in labels.data)) throw new RangeError(`there is no proxy example ${index}`)
        rows.set(inputs.data.subarray(index * length, (index + 1) * length), i * length)
      }
      return rows
    },
  }
}

function mismatch(what: string): GraftError {
  return new GraftError('GRAFT_SHAPE_MISMATCH', `The proxy set ${what}.`)
}
