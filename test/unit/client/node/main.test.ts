import { describe, expect, it } from 'vitest'
import { clientCommand } from '../../../../client/node/main.ts'

const GIVEN = ['--server', 'http://127.0.0.1:1', '--token', 't']

describe('graft client', () => {
  it('should show an example', () => {
    let help = ''
    clientCommand.configureOutput({ writeOut: (text) => (help += text) }).outputHelp()
    expect(help).toMatch(/\$ graft client --server/)
    expect(help).toContain('--retry <SECONDS>')
  })

  it.each([
    [[...GIVEN, '--shard', '2/2'], /--shard "2\/2" is not allowed: I must be from 0 to N - 1/],
    [[...GIVEN, '--shard', '1'], /--shard "1" is not allowed: must be I\/N/],
    [GIVEN, /--shard is missing/],
    [[...GIVEN, '--shard', '0/2', '--name', 'A b'], /--name "A b" is not allowed/],
    [[...GIVEN, '--shard', '0/2', '--retry', '0'], /--retry "0" is not allowed/],
    [['--server', 'ftp://x', '--token', 't', '--shard', '0/2'], /must begin with http/],
  ])('should refuse %j and say what is allowed', async (words, message) => {
    const parsed = clientCommand.parseAsync(words, { from: 'user' })
    await expect(parsed).rejects.toMatchObject({
      code: 'GRAFT_OPTION_INVALID',
      message: expect.stringMatching(message),
    })
  })
})
