import { readFile } from 'node:fs/promises'
import { runProcess } from '../engine/run-process.ts'

/** How this user's npm reaches its registry, under the names that pacote has for it. */
export interface NpmSettings {
  registry?: string
  proxy?: string
  httpsProxy?: string
  /** Hosts that are reached without proxy, with commas. */
  noProxy?: string
  /** Certificates of authorities to trust instead of Node's own, PEM. */
  ca?: string
  strictSSL?: boolean
  /** Milliseconds without a byte before a connection is given up. */
  timeout?: number
}

const KEYS = [
  ...['registry', 'proxy', 'https-proxy', 'noproxy'],
  ...['cafile', 'strict-ssl', 'fetch-timeout'],
] as const

/**
 * Asks the user's npm for its settings, so that `.npmrc` files, environment variables and npm's own
 * defaults count as they do for `npm install`. Without an npm there are none, and pacote has defaults.
 *
 * npm never tells the tokens of registries that ask for a login: those stay out of reach.
 */
export async function npmSettings(signal?: AbortSignal): Promise<NpmSettings> {
  const words = ['config', 'get', ...KEYS]
  const { status, output } =
    process.platform === 'win32'
      ? // There npm is a script, which only a shell runs.
        await runProcess('cmd.exe', ['/d', '/s', '/c', 'npm', ...words], { signal })
      : await runProcess('npm', words, { signal })
  return status === 0 ? parseNpmSettings(output) : {}
}

/** Reads what `npm config get` prints for several keys: a line `key=value` each, `null` for unset. */
export async function parseNpmSettings(output: string): Promise<NpmSettings> {
  const valueOf = (key: string): string | undefined => {
    const value = new RegExp(`^${key}=(.*)$`, 'm').exec(output)?.[1]?.trim()
    return value === '' || value === 'null' || value === 'undefined' ? undefined : value
  }
  const settings: NpmSettings = {}
  const registry = valueOf('registry')
  const proxy = valueOf('proxy')
  const httpsProxy = valueOf('https-proxy')
  const noProxy = valueOf('noproxy')
  const cafile = valueOf('cafile')
  const timeout = Number(valueOf('fetch-timeout'))
  if (registry !== undefined) settings.registry = registry
  if (proxy !== undefined) settings.proxy = proxy
  if (httpsProxy !== undefined) settings.httpsProxy = httpsProxy
  if (noProxy !== undefined) settings.noProxy = noProxy
  if (cafile !== undefined) settings.ca = await readFile(cafile, 'utf8')
  if (valueOf('strict-ssl') === 'false') settings.strictSSL = false
  if (timeout > 0) settings.timeout = timeout
  return settings
}
