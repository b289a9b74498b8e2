import { readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Parser } from 'tar'
import { invalidData, type RawData, type RawSplit } from './raw-data.ts'

const NUM_CLASSES = 100
const PIXELS = 32 * 32
/** Coarse label, fine label, then the planes of red, green and blue. */
const RECORD_BYTES = 2 + 3 * PIXELS
const FILES = ['train.bin', 'test.bin', 'fine_label_names.txt'] as const
type FileName = (typeof FILES)[number]

/**
 * CIFAR-100 with its 100 fine classes, in the official split, from the official binary version:
 * `cifar-100-binary.tar.gz`, or the folder that it unpacks to. Source: Krizhevsky 2009, "Learning multiple
 * layers of features from tiny images".
 *
 * @throws GraftError GRAFT_DATA_INVALID when a file is missing, cut or of another form
 */
export async function readCifar100(path: string): Promise<RawData> {
  const isFolder = (await stat(path)).isDirectory()
  const files = isFolder ? await readFolder(path) : await readArchive(path)
  const get = (name: FileName): Uint8Array => {
    const bytes = files.get(name)
    if (bytes !== undefined) return bytes
    throw invalidData(
      `${path} has no ${name}: give cifar-100-binary.tar.gz, or the folder that it unpacks to.`,
    )
  }
  const classNames = Buffer.from(get('fine_label_names.txt')).toString('utf8').trim().split(/\s+/)
  if (classNames.length !== NUM_CLASSES) {
    throw invalidData(
      `fine_label_names.txt of ${path} names ${classNames.length} classes, not ${NUM_CLASSES}.`,
    )
  }
  return {
    kind: 'CIFAR-100',
    inputShape: [32, 32, 3],
    numClasses: NUM_CLASSES,
    classNames,
    columns: null,
    train: parseRecords(get('train.bin'), `train.bin of ${path}`),
    test: parseRecords(get('test.bin'), `test.bin of ${path}`),
    notes: [],
  }
}

async function readFolder(path: string): Promise<Map<string, Uint8Array>> {
  const inner = join(path, 'cifar-100-binary')
  const isOuter = await stat(inner).then(
    (entry) => entry.isDirectory(),
    () => false,
  )
  const folder = isOuter ? inner : path
  const files = new Map<string, Uint8Array>()
  for (const name of FILES) {
    const bytes = await readFile(join(folder, name)).catch(() => undefined)
    if (bytes !== undefined) files.set(name, bytes)
  }
  return files
}

async function readArchive(path: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>()
  const archive = await readFile(path)
  await new Promise<void>((resolve, reject) => {
    const parser = new Parser({
      strict: true,
      onReadEntry(entry) {
        const name = basename(entry.path)
        if (!(FILES as readonly string[]).includes(name)) {
          entry.resume()
          return
        }
        const chunks: Buffer[] = []
        entry.on('data', (chunk: Buffer) => void chunks.push(chunk))
        entry.on('end', () => void files.set(name, Buffer.concat(chunks)))
      },
    })
    parser.on('end', resolve)
    parser.on('error', reject)
    parser.end(archive)
  }).catch((cause: unknown) => {
    throw invalidData(`${path} is no whole archive: fetch it again.`, cause)
  })
  return files
}

function parseRecords(bytes: Uint8Array, file: string): RawSplit {
  const size = bytes.length / RECORD_BYTES
  if (!Number.isInteger(size) || size === 0) {
    throw invalidData(
      `${file} has ${bytes.length} bytes, which are no images of ${RECORD_BYTES} bytes: it is cut or of another form.`,
    )
  }
  const values = new Uint8Array(size * 3 * PIXELS)
  const labels = new Int32Array(size)
  for (let i = 0; i < size; i++) {
    const record = i * RECORD_BYTES
    const label = bytes[record + 1]!
    if (label >= NUM_CLASSES) {
      throw invalidData(`${file}: image ${i} has the fine label ${label}, not 0 to 99.`)
    }
    labels[i] = label
    for (let p = 0; p < PIXELS; p++) {
      for (let channel = 0; channel < 3; channel++) {
        values[(i * PIXELS + p) * 3 + channel] = bytes[record + 2 + channel * PIXELS + p]!
      }
    }
  }
  return { values, labels }
}
