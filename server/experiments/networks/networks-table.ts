import Table from 'cli-table3'
import type { NetworkCase, NetworkResult } from '../../../shared/protocol/networks-report.ts'

/** A row a method, a column a model; test accuracies in percent, right after fusion and tuned, and seconds of fusion. */
export function networksTable(cases: readonly NetworkCase[]): string {
  const table = new Table({
    head: ['', ...cases.map(({ model, parameters }) => `${model}\n${sizeOf(parameters)}`)],
    style: { head: [], border: [], compact: true },
  })
  const row = (name: string, of: (one: NetworkCase) => string) => [name, ...cases.map(of)]
  const best = ({ parents }: NetworkCase) => Math.max(...parents)
  table.push(
    row('parents', ({ parents }) => parents.map(percent).join(' / ')),
    row('ensemble', ({ ensemble }) => percent(ensemble)),
    row('proxy set alone', ({ proxyAlone }) => percent(proxyAlone)),
    row(
      'best parent -> tuned',
      (one) => `${percent(best(one))} -> ${percent(one.bestParentTuned)}`,
    ),
    ...(cases[0]?.methods ?? []).map(({ method }, at) =>
      row(method, ({ methods }) => resultText(methods[at]!)),
    ),
  )
  const refusals = cases.flatMap(({ model, methods }) =>
    methods.flatMap(({ method, refused }) =>
      refused === undefined ? [] : [`${model}: ${method} refuses. ${refused}`],
    ),
  )
  return [table.toString(), ...refusals].join('\n')
}

function resultText({ fused, tuned, seconds }: NetworkResult): string {
  if (fused === null || tuned === null || seconds === null) return 'refused'
  return `${percent(fused)} -> ${percent(tuned)} (${seconds.toFixed(1)} s)`
}

const percent = (share: number): string => (100 * share).toFixed(1)
const sizeOf = (parameters: number): string =>
  parameters < 1e5
    ? `${(parameters / 1e3).toFixed(0)} k parameters`
    : `${(parameters / 1e6).toFixed(1)} M parameters`
