import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'

export interface FakeRegistry extends AsyncDisposable {
  readonly url: string
  /** Of the archive that was published. */
  readonly integrity: string
  /** Paths asked for, in order. */
  readonly requests: readonly string[]
}

export interface FakeRegistryOptions {
  readonly name: string
  readonly version: string
  /** Text of each file. */
  readonly files: Readonly<Record<string, string>>
  /** Answers the request for the archive. @default all of it at once */
  readonly sendArchive?: (response: ServerResponse, archive: Buffer) => void
}

/** An npm registry on a port of its own that has one package, for npm's real client. */
export async function startFakeRegistry(options: FakeRegistryOptions): Promise<FakeRegistry> {
  const { name, version, files } = options
  const sendArchive = options.sendArchive ?? ((response, archive) => response.end(archive))
  const archive = gzipSync(tar(files))
  const integrity = `sha512-${createHash('sha512').update(archive).digest('base64')}`
  const requests: string[] = []
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    requests.push(path)
    if (path.endsWith('.tgz')) {
      sendArchive(response, archive)
    } else {
      const dist = { tarball: `${url}/${name}/-/${name}-${version}.tgz`, integrity }
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ name, versions: { [version]: { name, version, dist } } }))
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    integrity,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** POSIX tar ("ustar") of files in a folder `package`, as npm packs them. */
function tar(files: Readonly<Record<string, string>>): Buffer {
  const blocks = Object.entries(files).flatMap(([name, text]) => {
    const content = Buffer.from(text)
    const header = Buffer.alloc(512)
    header.write(`package/${name}`, 0)
    header.write('0000644\0', 100)
    header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124)
    header.write('00000000000\0', 136)
    // The checksum is taken with blanks in its own place.
    header.write(' '.repeat(8), 148)
    header.write('0', 156)
    header.write('ustar\x0000', 257)
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]
  })
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}
