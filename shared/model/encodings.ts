/**
 * How weights travel: as they are computed, as half floats, or as bytes with a scale for each output channel. With `-delta`
 * an update has the differences to the model that its round began with; models come down whole.
 */
export const ENCODINGS = ['float32', 'float16', 'int8', 'float16-delta', 'int8-delta'] as const
export type Encoding = (typeof ENCODINGS)[number]

/** How tensors of the encoded kind are stored. */
export type StoredAs = 'F32' | 'F16' | 'I8'

const STORED_AS = {
  float32: 'F32',
  float16: 'F16',
  int8: 'I8',
  'float16-delta': 'F16',
  'int8-delta': 'I8',
} as const satisfies Record<Encoding, StoredAs>

export const storedAs = (encoding: Encoding): StoredAs => STORED_AS[encoding]

/** Whether updates are differences. */
export const isDelta = (encoding: Encoding): boolean => encoding.endsWith('-delta')
