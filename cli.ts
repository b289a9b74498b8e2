#!/usr/bin/env node
import { Command } from 'commander'
import { clientCommand } from './client/node/main.ts'
import { demoCommand } from './client/simulator/demo-command.ts'
import { simulateCommand } from './client/simulator/main.ts'
import { reportCommand } from './client/simulator/report/report-command.ts'
import { simulateWorkerCommand } from './client/simulator/worker-command.ts'
import { watchCommand } from './client/watch/watch-command.ts'
import { certsCommand } from './server/certs/certs-command.ts'
import { coordinatorCommand } from './server/main.ts'
import { experimentCommand } from './server/experiments/experiment-command.ts'
import { doctorCommand } from './server/doctor-command.ts'
import { fuseCommand } from './server/offline/fuse-command.ts'
import { inspectCommand } from './server/offline/inspect-command.ts'
import { auditCommand } from './server/store/audit-command.ts'
import { tokenCommand } from './server/store/token-command.ts'
import { runProgram } from './shared/command/run-program.ts'
import { dataCommand } from './shared/data/command.ts'
import { engineCommand } from './shared/engine/command.ts'
import { GRAFT_VERSION } from './shared/protocol/graft-version.ts'

const program = new Command('graft')
  .description(
    'Federated model fusion: networks trained where the data is, fused neuron by neuron.',
  )
  .version(GRAFT_VERSION)
  .addCommand(coordinatorCommand)
  .addCommand(clientCommand)
  .addCommand(watchCommand)
  .addCommand(simulateCommand)
  .addCommand(reportCommand)
  .addCommand(demoCommand)
  .addCommand(simulateWorkerCommand, { hidden: true })
  .addCommand(fuseCommand)
  .addCommand(inspectCommand)
  .addCommand(experimentCommand)
  .addCommand(dataCommand)
  .addCommand(engineCommand)
  .addCommand(tokenCommand)
  .addCommand(certsCommand)
  .addCommand(auditCommand)
  .addCommand(doctorCommand)

await runProgram(program, process.argv)
