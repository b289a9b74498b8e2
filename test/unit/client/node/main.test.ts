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
    [[...GIVEN, '--data', 'x', '--dataset', 'mnist'], /--dataset mnist and --data x both/],
    [[...GIVEN, '--data', 'x', '--partition', 'iid'], /--partition iid needs --shard/],
    [[...GIVEN, '--shard', '0/2', '--normalize', 'own'], /--normalize is for data of your own/],
    [[...GIVEN, '--shard', '0/2', '--channels', '1'], /--channels says how data of your own/],
    [
      [...GIVEN, '--data', 'x', '--channels', '2'],
      /--channels "2" is not allowed: must be 1 .* or 3/,
    ],
    [[...GIVEN, '--data', 'x', '--image-size', '32'], /--image-size "32" .*HEIGHTxWIDTH/],
    [[...GIVEN, '--shard', '0/2', '--name', 'A b'], /--name "A b" is not allowed/],
    [[...GIVEN, '--shard', '0/2', '--retry', '0'], /--retry "0" is not allowed/],
    [['--server', 'ftp://x', '--token', 't', '--shard', '0/2'], /must begin with http/],
  ])('should refuse %j and say what is allowed', async (words, message) => {
    // A command of commander keeps what it was given last.
    for (const option of clientCommand.options) {
      clientCommand.setOptionValue(option.attributeName(), undefined)
    }
    const parsed = clientCommand.parseAsync(words, { from: 'user' })
    await expect(parsed).rejects.toMatchObject({
      code: 'GRAFT_OPTION_INVALID',
      message: expect.stringMatching(message),
    })
  })
})
