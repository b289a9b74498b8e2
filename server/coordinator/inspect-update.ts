import { GraftError } from '../../shared/errors.ts'
import { assertFiniteHalves, assertScales, scaleNames } from '../../shared/model/encoded-weights.ts'
import {
  type Dtype,
  DTYPE_BYTES,
  headerLength,
  LENGTH_BYTES,
  parseSafetensorsHeader,
} from '../../shared/model/safetensors-format.ts'
import { withoutCounters } from '../../shared/model/safetensors.ts'
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
  /** In the order of the file; null where they were not to be kept. */
  readonly weights: readonly Float32Array[] | null
}

export interface InspectionLimits {
  readonly sizeBytes: number
  /** A longer header is refused: until it is complete, it is in memory. */
  readonly headerBytes: number
  /** Whether weights stay in memory; only of float32. @default false */
  readonly keepsWeights?: boolean
}

/**
 * Refuses what `decodeUpdate` refuses, while the bytes come in: only the header, the scores, and weights that are to be kept are
 * ever in memory.
 */
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
  readonly kind: Kind
  /** All of it, where it is kept. */
  readonly kept: Float32Array | null
}

/**
 * Of a tensor's numbers. Those that are `never` looked at: counters of PyTorch's, as nobody computes with them, and int8, of which
 * each is good where its scale is.
 */
type Kind = 'float' | 'score' | 'scale' | 'half' | 'never'

const NOTHING = new Uint8Array(0)
const FLOAT_BYTES = DTYPE_BYTES.F32
/** Numbers that are copied to where they are aligned and looked at; shared by all inspections. */
const block = new Float32Array(16_384)
const blockBytes = new Uint8Array(block.buffer)
const blockHalves = new Uint16Array(block.buffer)

export function inspectUpdate(
  expected: ExpectedUpdate,
  limits: InspectionLimits,
): UpdateInspection {
  const { keepsWeights = false } = limits
  let problem: unknown
  /** The start of the file, until its header is complete. */
  let start: Uint8Array = NOTHING
  let facts: UpdateFacts | undefined
  let tensors: readonly OpenTensor[] = []
  let current = 0
  /** Bytes of the current tensor that were looked at. */
  let position = 0
  /** The bytes of a number whose rest has not come yet. */
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
    const weights = withoutCounters(parsed.tensors)
    const said = checkUpdateHeader({ tensors: weights, metadata: parsed.metadata }, expected)
    const known = new Set(weights.map(({ name }) => name))
    const scales = scaleNames(expected.weights, expected.encoding ?? 'float32')
    const filled = parsed.tensors.filter(({ begin, end }) => begin < end)
    tensors = filled.map(({ name, dtype, begin, end }) => {
      const kind = known.has(name) ? kindOf({ name, dtype }, scales) : 'never'
      const isKept = kind === 'score' || (kind === 'float' && keepsWeights)
      const kept = isKept ? new Float32Array((end - begin) / FLOAT_BYTES) : null
      return { name, bytes: end - begin, kind, kept }
    })
    return said
  }

  function look(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const tensor = tensors[current]!
      const length = Math.min(tensor.bytes - position, bytes.length - at)
      if (tensor.kind !== 'never') lookAt(tensor, bytes.subarray(at, at + length))
      at += length
      position += length
      if (position < tensor.bytes) continue
      current++
      position = 0
    }
  }

  function lookAt(tensor: OpenTensor, bytes: Uint8Array): void {
    const size = tensor.kind === 'half' ? DTYPE_BYTES.F16 : FLOAT_BYTES
    let first = (position - restBytes) / size
    for (let at = 0; at < bytes.length;) {
      blockBytes.set(rest.subarray(0, restBytes))
      const length = Math.min(blockBytes.length - restBytes, bytes.length - at)
      blockBytes.set(bytes.subarray(at, at + length), restBytes)
      at += length
      const count = Math.floor((restBytes + length) / size)
      restBytes = restBytes + length - count * size
      rest.set(blockBytes.subarray(count * size, count * size + restBytes))
      assertGood(tensor, count, first)
      tensor.kept?.set(block.subarray(0, count), first)
      first += count
    }
  }

  function finish(): InspectedUpdate {
    if (problem !== undefined) throw problem as Error
    // Throws of a file that is shorter than its first field.
    if (facts === undefined) headerLength(start, limits.sizeBytes)
    if (facts === undefined || current < tensors.length) throw incomplete()
    const keptOf = (of: Kind) => tensors.flatMap(({ kind, kept }) => (kind === of && kept) || [])
    return { facts, scores: keptOf('score'), weights: keepsWeights ? keptOf('float') : null }
  }

  return { add, finish }
}

function kindOf(
  { name, dtype }: { readonly name: string; readonly dtype: Dtype },
  scales: ReadonlySet<string>,
): Kind {
  if (dtype === 'F16') return 'half'
  if (dtype === 'I8') return 'never'
  if (scales.has(name)) return 'scale'
  return isScore({ name }) ? 'score' : 'float'
}

/**
 * @param count of the numbers at the start of the block
 * @param first index in the tensor of the first of them
 */
function assertGood({ name, kind }: OpenTensor, count: number, first: number): void {
  if (kind === 'half') return assertFiniteHalves(name, blockHalves.subarray(0, count), first)
  const floats = block.subarray(0, count)
  if (kind === 'scale') return assertScales(name, floats, first)
  assertFiniteFloats(name, floats, first)
  if (kind === 'score') assertNotNegative(name, floats, first)
}

const incomplete = (): RangeError => new RangeError('the file is not complete')
