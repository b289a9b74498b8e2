import { existsSync } from 'node:fs'
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { GraftError } from '../errors.ts'
import { ADDON_PRELUDE } from './addon-prelude.ts'
import { addonPath, type TfjsNodePackage } from './native-cache.ts'
import { runProcess } from './run-process.ts'

/**
 * Compiles tfjs-node's addon, with Graft's prelude, inside `folder`, which holds TensorFlow under `deps`, and
 * loads it once in a process of its own. The package's own folder is only read, so that a failed build spoils nothing.
 *
 * @throws GraftError GRAFT_ENGINE_INSTALL_FAILED with the compiler's last word
 */
export async function buildAddon(
  tfjsNode: TfjsNodePackage,
  folder: string,
  signal?: AbortSignal,
): Promise<void> {
  for (const source of ['binding', 'binding.gyp']) {
    await cp(join(tfjsNode.folder, source), join(folder, source), { recursive: true })
  }
  const source = join(folder, 'binding', 'tfjs_backend.cc')
  await writeFile(source, ADDON_PRELUDE + (await readFile(source, 'utf8')))
  const manifest = JSON.parse(
    await readFile(join(tfjsNode.folder, 'package.json'), 'utf8'),
  ) as object
  // `npm run` puts the node-gyp that npm brings on the PATH; no copy of our own is needed.
  const scripts = { build: 'node "$NODE_PRE_GYP" install --build-from-source' }
  await writeFile(join(folder, 'package.json'), JSON.stringify({ ...manifest, scripts }))

  const require = createRequire(join(tfjsNode.folder, 'package.json'))
  const built = await runProcess('npm', ['run', 'build'], {
    cwd: folder,
    environment: {
      NODE_PRE_GYP: require.resolve('@mapbox/node-pre-gyp/bin/node-pre-gyp'),
      ...headersOfThisNode(),
    },
    signal,
  })
  if (built.status !== 0) throw failed('The native addon does not compile', built.output)

  const loaded = await runProcess(
    process.execPath,
    ['-e', 'require(process.argv[1])', addonPath(folder)],
    { signal },
  )
  if (loaded.status !== 0) throw failed('The native addon does not load', loaded.output)
  for (const name of await readdir(folder)) {
    if (name !== 'deps' && name !== 'lib')
      await rm(join(folder, name), { recursive: true, force: true })
  }
  await rm(join(folder, 'deps', 'include'), { recursive: true })
}

/** Headers that lie beside this Node need no download; a `nodedir` of the user's own goes first. */
function headersOfThisNode(): Record<string, string> {
  const prefix = dirname(dirname(process.execPath))
  const hasHeaders = existsSync(join(prefix, 'include', 'node', 'node_api.h'))
  if (!hasHeaders || process.env['npm_config_nodedir'] !== undefined) return {}
  return { npm_config_nodedir: prefix }
}

function failed(problem: string, output: string): GraftError {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  const telling = lines.findLast((line) => /error|cannot|not found/i.test(line)) ?? lines.at(-1)
  return new GraftError(
    'GRAFT_ENGINE_INSTALL_FAILED',
    `${problem}: ${telling?.trim() ?? 'it says nothing'}.`,
  )
}
