import { Command } from 'commander'
import { forecastCommand } from './forecast/forecast-command.ts'
import { fusionTableCommand } from './fusion-table/fusion-table-command.ts'
import { listCommand } from './list-command.ts'
import { networksCommand } from './networks/networks-command.ts'
import { presetCommand } from './preset-command.ts'
import { PRESETS } from './presets.ts'
import { resultsCommand } from './results/results-command.ts'

/** `graft experiment`: measurements that anyone can repeat. */
export const experimentCommand = new Command('experiment')
  .summary('measurements that anyone can repeat')
  .description('measurements that anyone can repeat')
  .addCommand(listCommand)
  .addCommand(resultsCommand)
  .addCommand(fusionTableCommand)
  .addCommand(networksCommand)
  .addCommand(forecastCommand)

for (const preset of PRESETS) experimentCommand.addCommand(presetCommand(preset))
