import { GraftError } from '../../shared/errors.ts'
import {
  headerLength,
  LENGTH_BYTES,
  parseSafetensorsHeader,
} from '../../shared/model/safetensors-format.ts'
import { weightsIn } from '../../shared/model/safetensors.ts'
import { assertFiniteFloats } from '../../shared/model/weights.ts'
import {
  assertNotNegative,
  checkUpdateHeader,
  type ExpectedUpdate,
  isScore,
  type UpdateFacts,
} from '../../shared/protocol/update.ts'

/** What was found in an update that can be fused. */
export interface InspectedUpdate {
  readonly facts: UpdateFacts
  /** [group][neuron]; empty when the client sent none. */
  readonly scores: readonly Float32Array[]
}

/** Refuses what `decodeUpdate` refuses, while the bytes come in: only the header and the scores are ever in memory. */
export interface UpdateInspection {
  /** The next bytes of the file, in order; borrowed. */
  readonly add: (bytes: Uint8Array) => void
  /** @throws GraftError what is wrong with the bytes added; they must be all */
  readonly finish: () => InspectedUpdate
}

/** Where an inspection has come to in a tensor. */
interface OpenTensor {
  readonly name: string
  readonly bytes: number
  /** A counter of PyTorch's has no floats, and nobody computes with it. */
  readonly isWeight: boolean
  /** What is kept of it; null: nothing. */
  readonly scores: Float32Array | null
}

const NOTHING = new Uint8Array(0)
const FLOAT_BYTES = 4
/** Floats that are copied to where they are aligned and looked at; shared by all inspections. */
const block = new Float32Array(16_384)
const blockBytes = new Uint8Array(block.buffer)

/** @param limits.headerBytes a longer header is refused: until it is complete, it is in memory */
export function inspectUpdate(
  expected: ExpectedUpdate,
  limits: { readonly sizeBytes: number; readonly headerBytes: number },
): UpdateInspection {
  let problem: unknown
  /** The start of the file, until its header is complete. */
  let start: Uint8Array = NOTHING
  let facts: UpdateFacts | undefined
  let tensors: readonly OpenTensor[] = []
  let current = 0
  /** Bytes of the current tensor that were looked at. */
  let position = 0
  /** The bytes of a float whose rest has not come yet. */
  const rest = new Uint8Array(FLOAT_BYTES)
  let restBytes = 0

  function add(bytes: Uint8Array): void {
    if (problem !== undefined) return
    try {
      look(addToHeader(bytes))
    } catch (error) {
      problem = error
    }
  }

  /** @returns what comes behind the header */
  function addToHeader(bytes: Uint8Array): Uint8Array {
    if (facts !== undefined) return bytes
    let left = bytes
    for (let wanted = wantedOf(start); start.length < wanted; wanted = wantedOf(start)) {
      if (left.length === 0) return left
      const part = left.subarray(0, wanted - start.length)
      start = Buffer.concat([start, part])
      left = left.subarray(part.length)
    }
    facts = open(start.subarray(LENGTH_BYTES))
    start = NOTHING
    return left
  }

  /** Bytes of the file up to the end of its header, as far as that is known. */
  function wantedOf(begun: Uint8Array): number {
    if (begun.length < LENGTH_BYTES) return LENGTH_BYTES
    const length = headerLength(begun, limits.sizeBytes)
    if (length <= limits.headerBytes) return LENGTH_BYTES + length
    throw new GraftError(
      'GRAFT_MODEL_FILE_INVALID',
      `The header has ${length} bytes; that of an update of this run has at most ${limits.headerBytes}.`,
    )
  }

  function open(header: Uint8Array): UpdateFacts {
    const dataBytes = limits.sizeBytes - LENGTH_BYTES - header.length
    const parsed = parseSafetensorsHeader(header, dataBytes)
    const weights = weightsIn(parsed.tensors)
    const said = checkUpdateHeader({ tensors: weights, metadata: parsed.metadata }, expected)
    const known = new Set(weights.map(({ name }) => name))
    const filled = parsed.tensors.filter(({ begin, end }) => begin < end)
    tensors = filled.map(({ name, begin, end }) => ({
      name,
      bytes: end - begin,
      isWeight: known.has(name),
      scores:
        known.has(name) && isScore({ name }) ? new Float32Array((end - begin) / FLOAT_BYTES) : null,
    }))
    return said
  }

  function look(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const tensor = tensors[current]!
      const length = Math.min(tensor.bytes - position, bytes.length - at)
      if (tensor.isWeight) lookAt(tensor, bytes.subarray(at, at + length))
      at += length
      position += length
      if (position < tensor.bytes) continue
      current++
      position = 0
    }
  }

  function lookAt(tensor: OpenTensor, bytes: Uint8Array): void {
    let first = (position - restBytes) / FLOAT_BYTES
    for (let at = 0; at < bytes.length;) {
      blockBytes.set(rest.subarray(0, restBytes))
      const length = Math.min(blockBytes.length - restBytes, bytes.length - at)
      blockBytes.set(bytes.subarray(at, at + length), restBytes)
      at += length
      const count = Math.floor((restBytes + length) / FLOAT_BYTES)
      restBytes = restBytes + length - count * FLOAT_BYTES
      rest.set(blockBytes.subarray(count * FLOAT_BYTES, count * FLOAT_BYTES + restBytes))
      assertGood(tensor, block.subarray(0, count), first)
      tensor.scores?.set(block.subarray(0, count), first)
      first += count
    }
  }

  function finish(): InspectedUpdate {
    if (problem !== undefined) throw problem as Error
    // Throws of a file that is shorter than its first field.
    if (facts === undefined) headerLength(start, limits.sizeBytes)
    if (facts === undefined || current < tensors.length) throw incomplete()
    return { facts, scores: tensors.flatMap(({ scores }) => scores ?? []) }
  }

  return { add, finish }
}

/** @param first index in the tensor of the first of these floats */
function assertGood(tensor: OpenTensor, floats: Float32Array, first: number): void {
  assertFiniteFloats(tensor.name, floats, first)
  if (tensor.scores !== null) assertNotNegative(tensor.name, floats, first)
}

const incomplete = (): RangeError => new RangeError('the file is not complete')
