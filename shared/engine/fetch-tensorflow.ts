import { mkdir, readdir, rename, rm, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { GraftError } from '../errors.ts'
import { TENSORFLOW_VERSION } from './native-cache.ts'
import { runProcess } from './run-process.ts'

/**
 * Wheels of TensorFlow that hold its C interface, by platform. Named in full, so that any Python 3 can
 * fetch them: the interpreter only downloads and unzips.
 */
const WHEELS: Partial<Record<string, { project: string; platform: string }>> = {
  'linux-x64': { project: 'tensorflow-cpu', platform: 'manylinux_2_27_x86_64' },
}

/** What the addon needs of the wheel, 850 MB of 1.3 GB. */
const WANTED = [
  'tensorflow/libtensorflow_cc.so.2',
  'tensorflow/libtensorflow_framework.so.2',
  'tensorflow/include/tensorflow/c/',
  'tensorflow/include/tensorflow/core/platform/',
  'tensorflow/include/tsl/',
  'tensorflow/include/xla/tsl/',
] as const

// The linker looks for the first name of each, the addon at run time for the second.
const LIBRARY_NAMES = {
  'libtensorflow.so': 'libtensorflow_cc.so.2',
  'libtensorflow.so.2': 'libtensorflow_cc.so.2',
  'libtensorflow_framework.so': 'libtensorflow_framework.so.2',
} as const

/** Why no wheel fits this machine, or undefined when one does. */
export function whyNoWheel(): string | undefined {
  const platform = `${process.platform}-${process.arch}`
  if (WHEELS[platform] === undefined) {
    return `The native engine is built for ${Object.keys(WHEELS).join(', ')}; this is ${platform}.`
  }
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }
  if (header.glibcVersionRuntime === undefined) {
    return 'The native engine needs the GNU C library; this system has another.'
  }
  return undefined
}

export interface FetchOptions {
  signal?: AbortSignal | undefined
  /** Share of the download that is done, 0 to 1. */
  onDownloaded?: (done: number) => void
  onUnpacking?: () => void
}

/**
 * Downloads TensorFlow's wheel with the user's own pip, hence from the user's own package index, and lays
 * its libraries and headers out under `folder`/deps as tfjs-node expects them.
 *
 * @throws GraftError GRAFT_ENGINE_INSTALL_FAILED with pip's last word; GRAFT_DISK_FULL
 */
export async function fetchTensorflow(folder: string, options: FetchOptions = {}): Promise<void> {
  const { signal, onUnpacking } = options
  const work = join(folder, 'wheel')
  await mkdir(work)
  const wheel = await download(work, options)
  onUnpacking?.()
  const unpacked = await runProcess('python3', ['-c', UNPACK, wheel, work, ...WANTED], { signal })
  if (unpacked.status !== 0)
    throw failed('The wheel of TensorFlow does not unpack', unpacked.output)

  const libraries = join(folder, 'deps', 'lib')
  await mkdir(libraries, { recursive: true })
  for (const library of new Set(Object.values(LIBRARY_NAMES))) {
    await rename(join(work, 'tensorflow', library), join(libraries, library))
  }
  for (const [name, library] of Object.entries(LIBRARY_NAMES)) {
    await symlink(library, join(libraries, name))
  }
  await rename(join(work, 'tensorflow', 'include'), join(folder, 'deps', 'include'))
  await rm(work, { recursive: true })
}

// Python is there wherever pip is, and unzips without holding 788 MB in memory.
const UNPACK = `
import sys, zipfile
wheel, target, wanted = sys.argv[1], sys.argv[2], tuple(sys.argv[3:])
with zipfile.ZipFile(wheel) as archive:
    archive.extractall(target, [name for name in archive.namelist() if name.startswith(wanted)])
`

/** @returns path of the wheel, inside `work` */
async function download(work: string, { signal, onDownloaded }: FetchOptions): Promise<string> {
  const { project, platform } = WHEELS[`${process.platform}-${process.arch}`]!
  let size: number | undefined
  // pip tells only a terminal how far it is, but writes what it has into TMPDIR.
  const timer = setInterval(() => {
    if (size === undefined) return
    const total = size
    folderSize(work).then(
      (bytes) => onDownloaded?.(Math.min(1, bytes / total)),
      () => undefined, // a file vanished while it was looked at
    )
  }, 500)
  try {
    const pip = await runProcess(
      'python3',
      [
        ...['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--no-cache-dir'],
        ...['--implementation', 'cp', '--python-version', '3.11', '--platform', platform],
        ...['--dest', work, `${project}==${TENSORFLOW_VERSION}`],
      ],
      {
        environment: { TMPDIR: work },
        signal,
        onOutput: (text) => {
          const megabytes = /\(([\d.]+) MB\)/.exec(text)?.[1]
          if (megabytes !== undefined) size = Number(megabytes) * 1e6
        },
      },
    )
    if (pip.status !== 0) {
      throw failed(`pip cannot download ${project} ${TENSORFLOW_VERSION}`, pip.output)
    }
  } finally {
    clearInterval(timer)
  }
  const wheel = (await readdir(work)).find((name) => name.endsWith('.whl'))
  if (wheel === undefined) throw failed('pip left no wheel', '')
  return join(work, wheel)
}

async function folderSize(folder: string): Promise<number> {
  let bytes = 0
  for (const name of await readdir(folder, { recursive: true })) {
    bytes += (await stat(join(folder, name))).size
  }
  return bytes
}

function failed(problem: string, output: string): GraftError {
  if (output.includes('No space left on device')) {
    return new GraftError('GRAFT_DISK_FULL', `${problem}: no space left on the device.`)
  }
  const said = output.split('\n').findLast((line) => /error/i.test(line)) ?? 'it says nothing'
  return new GraftError('GRAFT_ENGINE_INSTALL_FAILED', `${problem}: ${said.trim()}.`)
}
