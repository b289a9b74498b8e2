import { colourOf } from '../../../../shared/charts/marks.ts'
import { html } from '../../../../shared/charts/markup.ts'
import { stripChart } from '../../../../shared/charts/strip-chart.ts'
import type { RunReport } from '../../../../shared/protocol/run-report.ts'
import { figure, legend, type Section, table } from '../elements.ts'
import { bytes, seconds } from '../format.ts'
import { mean } from '../../../../shared/numeric/spread.ts'
import type { StrategyRuns, Study } from '../study.ts'

const PHASES = ['train', 'attribute', 'upload', 'fuse', 'tune', 'evaluate'] as const

/** Seconds of each phase and bytes on the wire. */
export function costSection({ strategies, seeds }: Study): Section {
  const over = seeds.length > 1 ? `, means of ${seeds.length} seeds` : ''
  const costs = strategies.map(costOf)
  return {
    id: 'cost',
    title: 'What it cost',
    body: [
      html`<p>
        Wall-clock seconds on the machine that ran it, other work on it included: compare them
        within this page. Train, attribute and upload are those of the slowest client; evaluate
        covers every control.
      </p>`,
      figure({
        title: `Seconds by phase, all rounds of a run${over}`,
        chart: [
          stripChart({
            id: 'cost-seconds',
            title: 'Seconds by phase and strategy',
            description: 'The numbers are in the table below.',
            strips: costs.map(({ name, phases }) => ({
              label: name,
              text: seconds(total(phases)),
              parts: phases.map((value, i) => ({ colour: colourOf(i), name: PHASES[i]!, value })),
            })),
            whole: Math.max(1e-9, ...costs.map(({ phases }) => total(phases))),
            format: seconds,
          }),
          legend(PHASES.map((text, i) => ({ colour: colourOf(i), text }))),
        ],
      }),
      table({
        caption: `Seconds by phase, and bytes, of all rounds of a run${over}; up is from all clients to the coordinator`,
        head: ['strategy', ...PHASES, 'all phases', 'up', 'down', 'peak memory'],
        rows: costs.map(({ name, phases, up, down, peakRssMb }) => [
          name,
          ...phases.map(seconds),
          seconds(total(phases)),
          bytes(up),
          bytes(down),
          `${Math.round(peakRssMb)} MiB`,
        ]),
      }),
    ],
  }
}

function costOf({ name, runs }: StrategyRuns) {
  const meanOf = (valueOf: (run: RunReport) => number) => mean(runs.map(valueOf))!
  return {
    name,
    phases: PHASES.map((phase) =>
      meanOf(({ rounds }) => total(rounds.map((one) => one.seconds[phase]))),
    ),
    up: meanOf(({ rounds }) => total(rounds.map((one) => one.bytes.up))),
    down: meanOf(({ rounds }) => total(rounds.map((one) => one.bytes.down))),
    peakRssMb: meanOf(({ rounds }) => Math.max(...rounds.map((one) => one.peakRssMb))),
  }
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0)
