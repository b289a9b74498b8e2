import Table from 'cli-table3'
import pc from 'picocolors'
import type { Colors } from '../../shared/command/text-stream.ts'
import type { DiversityReport } from '../../shared/protocol/diversity-report.ts'
import { forecastLine } from '../report/diversity-line.ts'
import { wrapWords } from '../../shared/terminal/format.ts'

/** Pairs shown, those that differ least first: they decide whether fusion is worth it. */
const MOST = 10
const LINE_WIDTH = 80

/**
 * How diverse parents are, for people, and what that means for Neuron Transplantation.
 *
 * @param colors none by default
 * @returns lines joined by line ends, without a last one
 */
export function diversityTable(
  { pairs, levels, forecast }: DiversityReport,
  colors: Colors = pc.createColors(false),
): string {
  const table = new Table({
    head: ['parents', 'weights apart', 'disagree on', 'alike at each level (CKA)'].map(colors.bold),
    colAligns: ['left', 'right', 'right', 'left'],
    colWidths: [null, null, null, 34],
    wordWrap: true,
    style: { head: [], border: [], compact: true },
  })
  const shown = pairs
    .toSorted((a, b) => (a.disagreement ?? 0) - (b.disagreement ?? 0))
    .slice(0, MOST)
  for (const { parents, weightDistance, disagreement, cka } of shown) {
    table.push([
      parents.map(shortened).join(' '),
      weightDistance?.toFixed(3) ?? 'other widths',
      disagreement === null ? '' : `${(100 * disagreement).toFixed(1)} %`,
      cka.map((value, level) => `${levels[level]!} ${value?.toFixed(2) ?? '-'}`).join(', '),
    ])
  }
  const rest = pairs.length - shown.length
  const notes = [
    ...(rest > 0 ? [`and ${rest} pairs that disagree more`] : []),
    ...(forecast === null ? ['Without --proxy there is no telling whether nt is worth it.'] : []),
    ...(forecast === null ? [] : [`Forecast: the parents are ${forecastLine(forecast)}.`]),
  ]
  return [table.toString(), ...notes.flatMap((note) => wrapWords(note, LINE_WIDTH))].join('\n')
}

const shortened = (file: string): string => {
  const name = file.replace(/\.safetensors$/, '')
  return name.length <= 16 ? name : `…${name.slice(-15)}`
}
