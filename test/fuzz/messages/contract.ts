import { isPlain } from './mutate-value.ts'

// PROTOCOL.md once more, written by hand: whether a mutated message is malformed is not asked of the schemas
// under test. What is valid by this contract is drawn again and never sent.

type Check = (value: unknown) => boolean
type Fields = Readonly<Record<string, Check>>

const isNumber = (value: unknown): value is number => typeof value === 'number'
const between = (least: number, most: number) => (value: unknown) =>
  isNumber(value) && Number.isFinite(value) && value >= least && value <= most
const whole =
  (least: number, most = Number.MAX_SAFE_INTEGER) =>
  (value: unknown) =>
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most
const text = (least: number, most: number) => (value: unknown) =>
  typeof value === 'string' && value.length >= least && value.length <= most
const matching = (pattern: RegExp) => (value: unknown) =>
  typeof value === 'string' && pattern.test(value)
const optional = (check: Check) => (value: unknown) => value === undefined || check(value)
const isBytes = (value: unknown) => value instanceof Uint8Array

const isHash = matching(/^[0-9a-f]{64}$/)
const isSeconds = between(0, Number.MAX_VALUE)
const areCounts = (value: unknown) =>
  Array.isArray(value) && value.length > 0 && value.length <= 100_000 && value.every(whole(0))
const phases = ['pulling', 'training', 'attributing', 'uploading', 'evaluating']

const timing: Fields = { train: isSeconds, attribute: isSeconds, upload: isSeconds }
const counts: Fields = { numExamples: whole(1), classCounts: areCounts }

const MESSAGES: Readonly<Record<string, Fields>> = {
  'run:join': {},
  'client:ready': counts,
  'client:progress': {
    round: whole(0),
    phase: (value) => phases.includes(value as string),
    done: between(0, 1),
    loss: optional(between(-Number.MAX_VALUE, Number.MAX_VALUE)),
  },
  'blob:pull': { id: isHash, offset: whole(0), length: whole(1, 1 << 20) },
  'update:begin': { round: whole(0), sizeBytes: whole(1), sha256: isHash },
  'update:chunk': { round: whole(0), offset: whole(0), chunk: isBytes },
  'update:commit': { round: whole(0), ...counts, seconds: (value) => fits(value, timing) },
  'evaluation:decline': { round: whole(0) },
  'evaluation:report': {
    round: whole(0),
    accuracy: between(0, 1),
    loss: between(0, Number.MAX_VALUE),
    numExamples: whole(1),
  },
}

const AUTH: Fields = {
  protocol: (value) => value === 1,
  token: text(1, 256),
  // A join token needs it, though the message may leave it out.
  name: matching(/^[a-z0-9][a-z0-9._-]{0,62}$/),
  version: text(0, 32),
  engine: text(0, 32),
}

export const isValidMessage = (event: unknown, message: unknown): boolean =>
  typeof event === 'string' &&
  Object.hasOwn(MESSAGES, event) &&
  fits(message, MESSAGES[event]!) &&
  addsUp(message)

/** Of a message that fits: its classes, where it has any, have as many examples as there are. */
function addsUp(message: unknown): boolean {
  const { numExamples, classCounts } = message as Record<string, unknown>
  if (!Array.isArray(classCounts)) return true
  return (classCounts as number[]).reduce((sum, count) => sum + count, 0) === numExamples
}

export const isValidAuth = (auth: unknown): boolean => fits(auth, AUTH)

/** A socket.io packet that carries a valid message or handshake, or says goodbye as socket.io does. */
export function isValidPacket(packet: unknown): boolean {
  if (!isPlain(packet)) return false
  const { type, nsp, data, id, ...others } = packet
  if (nsp !== '/' || Object.keys(others).length > 0) return false
  if (type === 0) return id === undefined && isValidAuth(data)
  if (type === 1) return data === undefined
  if (type !== 2 || !Array.isArray(data) || data.length !== 2) return false
  const isAnswerable = data[0] === 'client:progress' || id !== undefined
  return (
    isAnswerable && (id === undefined || whole(-Infinity)(id)) && isValidMessage(data[0], data[1])
  )
}

function fits(value: unknown, fields: Fields): boolean {
  return (
    isPlain(value) &&
    Object.keys(value).every((key) => Object.hasOwn(fields, key)) &&
    Object.entries(fields).every(([key, check]) => check(value[key]))
  )
}
