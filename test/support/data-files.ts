import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { zipSync } from 'fflate'
import { encodeImage, type Raster } from './image-file.ts'

/** Writes files by their path under a folder, with the folders that they need. */
export async function writeFiles(
  folder: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), content)
  }
}

/** A PNG of one colour: grey for one number, RGB for three. */
export function plainPng(
  height: number,
  width: number,
  colour: readonly number[],
): Promise<Buffer> {
  const channels = colour.length as Raster['channels']
  const pixels = Uint8Array.from(
    { length: height * width * channels },
    (_, i) => colour[i % channels]!,
  )
  return encodeImage('png', { height, width, channels, pixels })
}

/** A .npy file as numpy.save writes it; `data` is little-endian on every machine that runs tests. */
export function npyBytes(
  descr: string,
  shape: readonly number[],
  data: ArrayBufferView,
  order = 'False',
): Uint8Array {
  const tuple = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`
  const text = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${tuple}, }`
  const header = `${text.padEnd(64 * Math.ceil((text.length + 11) / 64) - 11)}\n`
  const length = Uint8Array.from([header.length & 0xff, header.length >> 8])
  const magic = Uint8Array.from([0x93, ...Buffer.from('NUMPY'), 1, 0])
  return Buffer.concat([
    magic,
    length,
    Buffer.from(header),
    Buffer.from(data.buffer, data.byteOffset, data.byteLength),
  ])
}

/** A .npz file as numpy.savez_compressed writes it. */
export function npzBytes(arrays: Readonly<Record<string, Uint8Array>>): Uint8Array {
  return zipSync(
    Object.fromEntries(Object.entries(arrays).map(([name, bytes]) => [`${name}.npy`, bytes])),
  )
}

const pad8 = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 7)])

function matElement(type: number, bytes: Buffer): Buffer {
  const tag = Buffer.alloc(8)
  if (bytes.length <= 4 && type !== 14) {
    // The small format, as MATLAB writes short names.
    tag.writeUInt32LE((bytes.length << 16) | type, 0)
    bytes.copy(tag, 4)
    return tag
  }
  tag.writeUInt32LE(type, 0)
  tag.writeUInt32LE(bytes.length, 4)
  return Buffer.concat([tag, pad8(bytes)])
}

/** A variable of bytes in a MATLAB 5.0 file, zlib-compressed as MATLAB writes it since version 7. */
export function matVariable(name: string, shape: readonly number[], data: Uint8Array): Buffer {
  const dimensions = Buffer.from(Int32Array.from(shape).buffer)
  const flags = Buffer.from(Uint32Array.from([9, 0]).buffer) // mxUINT8_CLASS
  const matrix = matElement(
    14,
    Buffer.concat([
      matElement(6, flags),
      matElement(5, dimensions),
      matElement(1, Buffer.from(name)),
      matElement(2, Buffer.from(data)),
    ]),
  )
  const compressed = deflateSync(matrix)
  const tag = Buffer.alloc(8)
  tag.writeUInt32LE(15, 0)
  tag.writeUInt32LE(compressed.length, 4)
  return Buffer.concat([tag, compressed])
}

export function matFile(variables: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(128, ' ')
  header.write('MATLAB 5.0 MAT-file, Platform: GLNXA64')
  header.writeUInt16LE(0x0100, 124)
  header.write('IM', 126)
  return Buffer.concat([header, ...variables])
}

/** A record of CIFAR-100: labels, then planes in which every pixel of a channel tells where it is. */
export function cifarRecord(coarse: number, fine: number): Buffer {
  const planes = [0, 1, 2].map((channel) =>
    Buffer.from(Uint8Array.from({ length: 1024 }, (_, p) => (p + 50 * channel) % 256)),
  )
  return Buffer.concat([Buffer.from([coarse, fine]), ...planes])
}
