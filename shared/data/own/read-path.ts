import { readdir, stat } from 'node:fs/promises'
import { GraftError } from '../../errors.ts'
import { type ArrayOptions, readArrays } from './arrays.ts'
import { readCifar100 } from './cifar100.ts'
import { readCsv, type TableOptions } from './csv.ts'
import { type ImageOptions, readImageFolder } from './image-folder.ts'
import { readModuleData } from './module-data.ts'
import { invalidData, type RawData } from './raw-data.ts'
import { readSvhn } from './svhn.ts'

export type ReadPathOptions = ImageOptions & TableOptions & ArrayOptions

type Reader = (path: string, options: ReadPathOptions) => Promise<RawData>

const ALLOWED =
  'a folder with one sub-folder of PNG or JPEG images a class, a .csv file or a folder with train.csv, ' +
  'a .npz file or a folder with x.npy and y.npy, a .js or .mjs module that exports load(), ' +
  'cifar-100-binary.tar.gz, or a folder with train_32x32.mat and test_32x32.mat of SVHN'

/** What the options are for, by the kind of data. */
const OPTIONS: readonly {
  readonly key: keyof ReadPathOptions
  readonly flag: string
  readonly of: Reader
}[] = [
  { key: 'label', flag: '--label', of: readCsv },
  { key: 'imageSize', flag: '--image-size', of: readImageFolder },
  { key: 'channels', flag: '--channels', of: readImageFolder },
  { key: 'arrays', flag: '--arrays', of: readArrays },
]

/**
 * Reads whatever data a path has; its name and contents say which kind.
 *
 * @throws GraftError GRAFT_FILE_UNREADABLE when nothing is there; GRAFT_DATA_INVALID for data that Graft
 *   cannot read, saying what it can; GRAFT_OPTION_INVALID for an option that is for another kind of data
 * @throws the signal's reason when it aborts
 */
export async function readPath(path: string, options: ReadPathOptions = {}): Promise<RawData> {
  const reader = await readerOf(path)
  for (const { key, flag, of } of OPTIONS) {
    if (options[key] === undefined || reader === of) continue
    const problem = `${flag} is for ${KINDS.get(of)!}, and ${path} is ${KINDS.get(reader)!}.`
    throw new GraftError('GRAFT_OPTION_INVALID', problem)
  }
  return reader(path, options)
}

const KINDS = new Map<Reader, string>([
  [readCsv, 'tables'],
  [readImageFolder, 'folders of images'],
  [readArrays, 'arrays of NumPy'],
  [readModuleData, 'a module'],
  [readCifar100, 'CIFAR-100'],
  [readSvhn, 'SVHN'],
])

async function readerOf(path: string): Promise<Reader> {
  const entry = await stat(path).catch((cause: unknown) => {
    const problem = `There is nothing to read at ${path}.`
    throw new GraftError('GRAFT_FILE_UNREADABLE', problem, { cause })
  })
  const reader = entry.isDirectory() ? await folderReader(path) : fileReader(path)
  if (reader !== null) return reader
  throw invalidData(`${path} is no data that Graft reads. It reads ${ALLOWED}.`)
}

function fileReader(path: string): Reader | null {
  if (/\.(csv|tsv)$/i.test(path)) return readCsv
  if (/\.np[yz]$/i.test(path)) return readArrays
  if (/\.m?js$/i.test(path)) return readModuleData
  if (/\.(tar\.gz|tgz|tar)$/i.test(path)) return readCifar100
  if (/\.mat$/i.test(path)) return readSvhn
  return null
}

async function folderReader(path: string): Promise<Reader | null> {
  const entries = (await readdir(path, { withFileTypes: true })).filter(
    ({ name }) => !name.startsWith('.'),
  )
  if (entries.length === 0) {
    throw invalidData(`The folder ${path} is empty. Graft reads ${ALLOWED}.`)
  }
  const has = (name: string) => entries.some((entry) => entry.name === name)
  if (has('cifar-100-binary') || has('fine_label_names.txt')) return readCifar100
  if (has('train_32x32.mat') || has('test_32x32.mat')) return readSvhn
  if (has('train.csv')) return readCsv
  if (entries.some(({ name }) => /\.npy$/i.test(name))) return readArrays
  const isImages = entries.some(
    (entry) => entry.isDirectory() || /\.(png|jpe?g)$/i.test(entry.name),
  )
  return isImages ? readImageFolder : null
}
