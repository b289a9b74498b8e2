import { z } from 'zod'
import { defineCommand } from '../../shared/command/command.ts'
import { interruptSignal } from '../../shared/command/run-program.ts'
import { watch } from './watch.ts'

/** `graft watch`: the operator console for people on ssh. */
export const watchCommand = defineCommand({
  name: 'watch',
  summary: 'what a federation is doing, live, in the terminal',
  examples: [
    'graft watch --token TOKEN',
    'GRAFT_TOKEN=TOKEN graft watch --server https://graft.example:7433 | tee events.txt',
  ],
  options: {
    server: z
      .url({ protocol: /^https?$/, error: 'must begin with http:// or https://' })
      .default('http://127.0.0.1:7433')
      .describe('address of the coordinator')
      .meta({ value: 'URL', env: 'GRAFT_SERVER' }),
    token: z
      .string()
      .min(1)
      .max(256)
      .describe('operator token, of any role: `graft token create --operator --role viewer`')
      .meta({ value: 'TOKEN', env: 'GRAFT_TOKEN', secret: true }),
  },
  run: ({ server, token }) =>
    watch({ server, token, signal: interruptSignal(), screen: process.stdout }),
})
