import { joinSafetensors } from '../../../shared/model/safetensors-format.ts'

export interface Entry {
  dtype: unknown
  shape: unknown
  data_offsets: unknown
  [other: string]: unknown
}

/** A safetensors file taken apart, to be put together with something wrong. */
export interface Parts {
  readonly metadata: Record<string, unknown>
  /** Name and description of each tensor; a name may be there twice. */
  readonly tensors: [name: string, entry: Entry][]
  readonly data: Uint8Array
}

/** Of a valid file only. */
export function takeApart(file: Uint8Array): Parts {
  const view = new DataView(file.buffer, file.byteOffset)
  const end = 8 + Number(view.getBigUint64(0, true))
  const text = new TextDecoder().decode(file.subarray(8, end))
  const { __metadata__, ...tensors } = JSON.parse(text) as Record<string, unknown>
  return {
    metadata: __metadata__ as Record<string, unknown>,
    tensors: Object.entries(tensors) as [string, Entry][],
    data: Uint8Array.from(file.subarray(end)),
  }
}

/** The header as JSON, written by hand: objects cannot hold a name twice. */
export function headerOf({ metadata, tensors }: Pick<Parts, 'metadata' | 'tensors'>): string {
  const members = [['__metadata__', metadata] as const, ...tensors]
  const written = members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
  return `{${written.join()}}`
}

export const putTogether = (parts: Parts): Uint8Array =>
  joinSafetensors(headerOf(parts), [parts.data])

/** First and last byte of a tensor's data. */
export const offsetsOf = ([, { data_offsets }]: Parts['tensors'][number]): [number, number] =>
  data_offsets as [number, number]
