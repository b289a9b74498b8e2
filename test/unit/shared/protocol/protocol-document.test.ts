import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ERRORS, EXIT } from '../../../../shared/errors.ts'
import * as messages from '../../../../shared/protocol/messages.ts'
import type { ClientToServer, ServerToClient } from '../../../../shared/protocol/messages.ts'

const text = readFileSync(
  new URL('../../../../shared/protocol/PROTOCOL.md', import.meta.url),
  'utf8',
)

// Complete by their types: an event that is missing here does not compile.
const EVENTS: Record<keyof ClientToServer | keyof ServerToClient, true> = {
  'run:join': true,
  'client:ready': true,
  'client:progress': true,
  'blob:pull': true,
  'update:begin': true,
  'update:chunk': true,
  'update:commit': true,
  'evaluation:decline': true,
  'evaluation:report': true,
  'round:invited': true,
  'round:published': true,
  'round:failed': true,
  'run:finished': true,
  'coordinator:leaving': true,
  'connection:closed': true,
}

describe('PROTOCOL.md', () => {
  it('should list exactly the error codes, each as the catalogue has it', () => {
    const exitNames = Object.fromEntries(Object.entries(EXIT).map(([name, exit]) => [exit, name]))
    const expected = Object.entries(ERRORS).map(([code, { status, exit, remedy }]) =>
      [`\`${code}\``, String(status), exitNames[exit], remedy].map(String),
    )
    expect(rowsBehind('## Error codes')).toEqual(expected)
  })

  it('should describe exactly the messages', () => {
    const described = ['## Messages of the client', '## Messages of the coordinator'].flatMap(
      (heading) => rowsBehind(heading).map(([event]) => event),
    )
    expect(described).toEqual(Object.keys(EVENTS).map((event) => `\`${event}\``))
  })

  it('should state the limits and the version that the code has', () => {
    expect(text).toContain(`# Protocol, version ${messages.PROTOCOL_VERSION}\n`)
    expect(messages.MAX_WINDOW_BYTES).toBe(4 * 1024 ** 2)
    expect(text).toContain('4 MiB (`MAX_WINDOW_BYTES`)')
    expect(text).toContain(`\`MAX_PENDING_MESSAGES\`: ${messages.MAX_PENDING_MESSAGES} `)
    expect(messages.CHUNK_BYTES).toBe(1024 ** 2)
    expect(messages.MAX_MESSAGE_BYTES).toBe(1024 ** 2 + 64 * 1024)
  })
})

// Helpers

/** Cells of the first table behind a heading, without its head. */
function rowsBehind(heading: string): string[][] {
  const [, section = ''] = text.split(`${heading}\n`)
  const lines = section.split('\n## ', 1)[0]!.split('\n')
  return lines
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('\\|', '|')),
    )
}
