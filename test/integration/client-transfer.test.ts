import { readdir, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Connection } from '../../client/node/connection.ts'
import { pullBlob, pushUpdate } from '../../client/node/transfer.ts'
import { GraftError } from '../../shared/errors.ts'
import {
  BlobPull,
  CHUNK_BYTES,
  CHUNK_WINDOW,
  Done,
  MAX_WINDOW_BYTES,
  RunJoined,
  UploadOffset,
} from '../../shared/protocol/messages.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'
import { startTcpRelay } from '../support/tcp-relay.ts'
import {
  announce,
  COMMIT,
  noise,
  overOf,
  round,
  RUN,
  startTestGateway,
} from '../support/test-gateway.ts'

describe('pullBlob', () => {
  it('should fetch 10 MB bit for bit', async () => {
    await using server = await startTestGateway()
    const bytes = noise(10 * CHUNK_BYTES + 17)
    const pulled = await pullBlob(server.connect(), server.offer(bytes))
    expect(Buffer.compare(pulled, bytes)).toBe(0)
  })

  it('should go on after the connection was cut', async () => {
    let cut = () => {}
    let asked = 0
    const bytes = noise(8 * CHUNK_BYTES)
    await using server = await startTestGateway({
      readBlob: async (_client, { offset, length }) => {
        if (++asked === 4) cut()
        return bytes.subarray(offset, offset + length)
      },
    })
    await using relay = await startTcpRelay(server.gateway.url)
    cut = relay.cut
    const pulled = await pullBlob(server.connect({ servers: [relay.url] }), server.offer(bytes))
    expect(Buffer.compare(pulled, bytes)).toBe(0)
    expect(asked).toBeLessThanOrEqual(8 + CHUNK_WINDOW)
  })

  it.each([
    ['a crowd', 100_000, 100_000],
    ['a window that is no whole number of chunks', 2.5 * CHUNK_BYTES, 2 * CHUNK_BYTES],
    ['few', MAX_WINDOW_BYTES, MAX_WINDOW_BYTES],
  ])('should ask for as much at once as it may: among %s', async (_which, windowBytes, most) => {
    const bytes = noise(6 * CHUNK_BYTES + 17)
    await using server = await startTestGateway()
    const connection = server.connect()
    const underWay = watchUnderWay(connection, (message) => BlobPull.parse(message).length)
    const pulled = await pullBlob(connection, server.offer(bytes), { windowBytes })
    expect(Buffer.compare(pulled, bytes)).toBe(0)
    expect(Math.max(...underWay)).toBe(most)
  })

  it('should refuse bytes with another hash', async () => {
    await using server = await startTestGateway()
    const offered = server.offer(noise(100))
    server.seen.blobs.set(offered.id, noise(100, 2))
    const pulled = pullBlob(server.connect(), offered)
    await expect(pulled).rejects.toMatchObject({ code: 'GRAFT_BLOB_CORRUPT' })
  })

  it('should refuse a chunk of another length', async () => {
    await using server = await startTestGateway()
    const offered = server.offer(noise(100))
    server.seen.blobs.set(offered.id, noise(99))
    const pulled = pullBlob(server.connect(), offered)
    await expect(pulled).rejects.toMatchObject({ code: 'GRAFT_BLOB_CORRUPT' })
  })

  it('should pass on the coordinator’s refusal', async () => {
    await using server = await startTestGateway({
      readBlob: async () => {
        throw new GraftError('GRAFT_BLOB_UNKNOWN', 'No such blob.')
      },
    })
    const pulled = pullBlob(server.connect(), server.offer(noise(1)))
    await expect(pulled).rejects.toMatchObject({ code: 'GRAFT_BLOB_UNKNOWN' })
  })
})

describe('pushUpdate', () => {
  it('should deliver an update bit for bit and leave no part behind', async () => {
    await using server = await startTestGateway()
    const bytes = noise(3 * CHUNK_BYTES + 5)
    await pushUpdate(server.connect(), outgoing(bytes))
    expect(server.seen.updates).toHaveLength(1)
    expect(Buffer.compare(server.seen.updates[0]!.bytes, bytes)).toBe(0)
    expect(await readdir(server.uploadFolder)).toEqual([])
  })

  it('should resume a cut upload from the acknowledged byte', async () => {
    const starts: number[] = []
    await using server = await startTestGateway()
    await using relay = await startTcpRelay(server.gateway.url)
    const bytes = noise(12 * CHUNK_BYTES)
    relay.cutAfter.push(6.5 * CHUNK_BYTES)
    const connection = server.connect({ servers: [relay.url] })
    const request = connection.request.bind(connection)
    connection.request = async (event, message, schema) => {
      const answer = await request(event, message, schema)
      if (event === 'update:begin') starts.push((answer as UploadOffset).offset)
      return answer
    }

    await pushUpdate(connection, outgoing(bytes))

    expect(Buffer.compare(server.seen.updates[0]!.bytes, bytes)).toBe(0)
    expect(starts).toHaveLength(2)
    expect(starts[1]).toBeGreaterThan(0)
    const resent = relay.sentBytes() - bytes.length
    expect(resent).toBeLessThan(CHUNK_WINDOW * CHUNK_BYTES + 10_000)
  })

  it.each([
    ['a crowd', 1 << 16, 1 << 16],
    ['a window that is no whole number of chunks', 1.5 * CHUNK_BYTES, CHUNK_BYTES],
    ['few', MAX_WINDOW_BYTES, MAX_WINDOW_BYTES],
  ])('should have as much under way as it may: among %s', async (_which, windowBytes, most) => {
    await using server = await startTestGateway()
    const bytes = noise(6 * CHUNK_BYTES)
    const connection = server.connect()
    const request = connection.request.bind(connection)
    connection.request = async (event, message, schema) => {
      const answer = await request(event, message, schema)
      return 'windowBytes' in (answer as object) ? { ...answer, windowBytes } : answer
    }
    const underWay = watchUnderWay(connection, (message) =>
      'chunk' in message ? (message.chunk as Uint8Array).length : 0,
    )

    await pushUpdate(connection, outgoing(bytes))

    expect(Math.max(...underWay)).toBe(most)
    expect(Buffer.compare(server.seen.updates[0]!.bytes, bytes)).toBe(0)
  })

  it('should resume in a gateway that was started again', async () => {
    await using folder = await createTemporaryFolder()
    const bytes = noise(3 * CHUNK_BYTES)
    {
      await using first = await startTestGateway({}, { uploadFolder: folder.path })
      const connection = first.connect()
      await connection.request('update:begin', announce(bytes), UploadOffset)
      const chunk = bytes.subarray(0, CHUNK_BYTES)
      await connection.request('update:chunk', { round: 1, offset: 0, chunk }, UploadOffset)
    }
    const received: number[] = []
    await using second = await startTestGateway(
      { onUploadProgress: (_client, { receivedBytes }) => received.push(receivedBytes) },
      { uploadFolder: folder.path },
    )
    const connection = second.connect()
    const begun = await connection.request('update:begin', announce(bytes), UploadOffset)
    expect(begun.offset).toBe(CHUNK_BYTES)
    await pushUpdate(connection, outgoing(bytes))
    expect(received).toEqual([2 * CHUNK_BYTES, 3 * CHUNK_BYTES])
    expect(Buffer.compare(second.seen.updates[0]!.bytes, bytes)).toBe(0)
  })

  it('should send everything again when the part was spoilt by the crash', async () => {
    await using folder = await createTemporaryFolder()
    const bytes = noise(2 * CHUNK_BYTES)
    const announced = announce(bytes)
    {
      await using first = await startTestGateway({}, { uploadFolder: folder.path })
      const connection = first.connect()
      await connection.request('update:begin', announced, UploadOffset)
      const chunk = bytes.subarray(0, 1000)
      await connection.request('update:chunk', { round: 1, offset: 0, chunk }, UploadOffset)
    }
    // A power cut may leave zeros where the data was not yet written.
    const [part] = await readdir(folder.path)
    await truncate(join(folder.path, part!), 500)
    await truncate(join(folder.path, part!), 1000)

    await using second = await startTestGateway({}, { uploadFolder: folder.path })
    const faults: string[] = []
    await pushUpdate(second.connect(), outgoing(bytes), {
      onFault: ({ code }) => void faults.push(code),
    })
    expect(faults).toEqual(['GRAFT_UPLOAD_CORRUPT'])
    expect(Buffer.compare(second.seen.updates[0]!.bytes, bytes)).toBe(0)
  })

  it('should deliver once when the acknowledgement of the commit is lost', async () => {
    let cut = () => {}
    let delivered = 0
    await using server = await startTestGateway({
      onUpdate: async () => {
        delivered++
        cut()
      },
    })
    await using relay = await startTcpRelay(server.gateway.url)
    cut = relay.cut
    await pushUpdate(server.connect({ servers: [relay.url] }), outgoing(noise(1000)))
    expect(delivered).toBe(1)
  })

  it('should give up on an update the coordinator refuses', async () => {
    await using server = await startTestGateway({
      onUpdate: async () => {
        throw new GraftError('GRAFT_NOT_FINITE', 'fc1.kernel[0] is NaN.')
      },
    })
    const pushed = pushUpdate(server.connect(), outgoing(noise(10)))
    await expect(pushed).rejects.toMatchObject({ code: 'GRAFT_NOT_FINITE' })
    expect(await readdir(server.uploadFolder)).toEqual([])
  })

  it('should stop when its round is over', async () => {
    await using server = await startTestGateway()
    const signal = AbortSignal.abort(new Error('a newer round'))
    const pushed = pushUpdate(server.connect(), outgoing(noise(10)), { signal })
    await expect(pushed).rejects.toThrow('a newer round')
    expect(server.seen.updates).toEqual([])
  })

  it('should remove uploads of a round that was published', async () => {
    await using server = await startTestGateway()
    const connection = server.connect()
    const bytes = noise(10)
    await connection.request('update:begin', announce(bytes), UploadOffset)
    const chunk = bytes.subarray(0, 5)
    await connection.request('update:chunk', { round: 1, offset: 0, chunk }, UploadOffset)
    server.gateway.failed({ run: RUN, round: round(1), code: 'GRAFT_COHORT_TOO_SMALL' })
    const next = connection.request('update:commit', { round: 1, ...COMMIT }, Done)
    await expect(next).rejects.toMatchObject({ code: 'GRAFT_UPLOAD_UNKNOWN' })
  })
})

describe('connection', () => {
  it('should give up on a coordinator that does not answer', async () => {
    await using server = await startTestGateway()
    const connection = server.connect({ servers: ['http://127.0.0.1:1'], retrySeconds: 0.3 })
    expect(await overOf(connection)).toMatchObject({
      code: 'GRAFT_SERVER_UNREACHABLE',
      message: expect.stringContaining('127.0.0.1:1'),
    })
  })

  it('should find the coordinator among several addresses, and the one that follows it', async () => {
    await using first = await startTestGateway()
    await using second = await startTestGateway()
    const servers = ['http://127.0.0.1:1', first.gateway.url, second.gateway.url]
    const connection = first.connect({ servers })
    await connection.request('run:join', {}, RunJoined)
    expect(first.gateway.connected()).toHaveLength(1)
    await first.gateway.close()
    await expect.poll(() => second.gateway.connected()).toHaveLength(1)
  })

  it('should ask the next address when one refuses for a while', async () => {
    const busy = async () => {
      throw new GraftError('GRAFT_DATABASE_UNAVAILABLE', 'No answer.')
    }
    await using first = await startTestGateway({ admit: busy })
    await using second = await startTestGateway()
    const servers = [first.gateway.url, second.gateway.url]
    const connection = first.connect({ servers })
    await connection.request('run:join', {}, RunJoined)
    expect(second.gateway.connected()).toHaveLength(1)
  })

  it('should give up on a coordinator that left and does not come back', async () => {
    await using server = await startTestGateway()
    await using relay = await startTcpRelay(server.gateway.url)
    const connection = server.connect({ servers: [relay.url], retrySeconds: 0.3 })
    await connection.request('run:join', {}, RunJoined)
    await server.gateway.close()
    expect(await overOf(connection)).toMatchObject({ code: 'GRAFT_SERVER_UNREACHABLE' })
  })
})

// Helpers

/** @returns after each request that was sent, the bytes of all that had no answer yet */
function watchUnderWay(connection: Connection, lengthOf: (message: object) => number): number[] {
  const request = connection.request.bind(connection)
  const underWay: number[] = []
  let sum = 0
  connection.request = async (event, message, schema) => {
    const length = lengthOf(message)
    underWay.push((sum += length))
    const answer = await request(event, message, schema)
    sum -= length
    return answer
  }
  return underWay
}

function outgoing(bytes: Uint8Array) {
  return { round: round(1), bytes, commit: () => COMMIT }
}
