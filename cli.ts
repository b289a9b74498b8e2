#!/usr/bin/env node
import { Command } from 'commander'
import { runProgram } from './shared/command/run-program.ts'
import { GRAFT_VERSION } from './shared/protocol/graft-version.ts'

/** A process loads what its command needs: a client does without the server's libraries. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  coordinator: async () => (await import('./server/main.ts')).coordinatorCommand,
  client: async () => (await import('./client/node/main.ts')).clientCommand,
  watch: async () => (await import('./client/watch/watch-command.ts')).watchCommand,
  simulate: async () => (await import('./client/simulator/main.ts')).simulateCommand,
  report: async () => (await import('./client/simulator/report/report-command.ts')).reportCommand,
  demo: async () => (await import('./client/simulator/demo-command.ts')).demoCommand,
  'simulate-worker': async () =>
    (await import('./client/simulator/worker-command.ts')).simulateWorkerCommand,
  fuse: async () => (await import('./server/offline/fuse-command.ts')).fuseCommand,
  inspect: async () => (await import('./server/offline/inspect-command.ts')).inspectCommand,
  experiment: async () =>
    (await import('./server/experiments/experiment-command.ts')).experimentCommand,
  data: async () => (await import('./shared/data/command.ts')).dataCommand,
  engine: async () => (await import('./shared/engine/command.ts')).engineCommand,
  token: async () => (await import('./server/store/token-command.ts')).tokenCommand,
  certs: async () => (await import('./server/certs/certs-command.ts')).certsCommand,
  audit: async () => (await import('./server/store/audit-command.ts')).auditCommand,
  doctor: async () => (await import('./server/doctor-command.ts')).doctorCommand,
}
/** Started by `graft simulate` alone. */
const HIDDEN = 'simulate-worker'

const program = new Command('graft')
  .description(
    'Federated model fusion: networks trained where the data is, fused neuron by neuron.',
  )
  .version(GRAFT_VERSION)

const [, , word = ''] = process.argv
// The help lists all commands, and a word that is none of them is compared with all.
const needed = Object.hasOwn(COMMANDS, word) ? [word] : Object.keys(COMMANDS)
for (const name of needed) program.addCommand(await COMMANDS[name]!(), { hidden: name === HIDDEN })

await runProgram(program, process.argv)
