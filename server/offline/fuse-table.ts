import { basename } from 'node:path'
import Table from 'cli-table3'
import pc from 'picocolors'
import type { Colors } from '../../shared/command/text-stream.ts'
import type { FuseReport } from '../../shared/protocol/fuse-report.ts'
import { percent, wrapWords } from '../../shared/terminal/format.ts'
import { type Control, verdict } from '../report/verdict.ts'
import { survivors } from './survivors.ts'

type Scored = { readonly accuracy?: number | undefined; readonly loss?: number | undefined } | null

interface Row {
  readonly label: string
  readonly score: Scored
  readonly isWritten?: boolean
}

const WRITTEN = '●'
/** Characters of a line below the table: what every terminal has room for. */
const LINE_WIDTH = 80
/** Longer paths lose their beginning in the table. */
const LABEL_WIDTH = 44

/**
 * A fusion for people: every parent, every control, the fused and the tuned network with the written one
 * marked, whether it was worth it, whose neurons survive, and what it cost.
 *
 * @param colors none by default
 * @returns lines joined by line ends, without a last one
 */
export function fuseTable(report: FuseReport, colors: Colors = pc.createColors(false)): string {
  const lines = [
    ...(report.test === null ? [] : [tableOf(report, colors), ...verdicts(report)]),
    ...(report.ledger === null ? [] : survivors(report.ledger, report.shares ?? [], colors)),
    ...notes(report).flatMap((note) => wrapWords(note, LINE_WIDTH)),
    ...costs(report)
      .flatMap((line) => wrapWords(line, LINE_WIDTH))
      .map(colors.dim),
  ]
  return lines.join('\n')
}

function tableOf(report: FuseReport, colors: Colors): string {
  const table = new Table({
    head: ['', report.method.split(':', 1)[0]!, 'accuracy', 'loss'].map(colors.bold),
    colAligns: ['left', 'left', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  })
  for (const { label, score, isWritten = false } of rowsOf(report)) {
    const accuracy = score?.accuracy === undefined ? 'not measured' : percent(score.accuracy)
    const cells = [isWritten ? WRITTEN : '', label, accuracy, score?.loss?.toFixed(4) ?? '']
    table.push(isWritten ? cells.map(colors.green) : cells)
  }
  return table.toString()
}

function rowsOf({ parents, isCounted, ensemble, controls, fused, tuned, out }: FuseReport): Row[] {
  const { average, averageTuned, proxyAlone, bestParentTuned } = controls
  const best = bestParentTuned === null ? '' : ` (${shortened(nameOf(bestParentTuned.file), 16)})`
  const effort = tuned?.isTuned === true ? `${tuned.epochs} epochs` : 'no epoch helped: as fused'
  return [
    ...parents.map(({ file, accuracy, loss, numExamples }) => ({
      label: `parent ${shortened(file)}${isCounted ? ` (${numExamples} examples)` : ''}`,
      score: accuracy === null ? null : { accuracy, loss: loss ?? undefined },
    })),
    { label: 'ensemble', score: ensemble },
    { label: 'plain average', score: average },
    ...(tuned === null
      ? []
      : [
          { label: 'plain average + fine-tuning', score: averageTuned },
          { label: 'proxy set alone', score: proxyAlone },
          { label: `best parent${best} + fine-tuning`, score: bestParentTuned },
        ]),
    ...(fused === null
      ? []
      : [{ label: 'fused', score: fused, isWritten: out !== null && tuned === null }]),
    ...(tuned === null
      ? []
      : [{ label: `tuned (${effort})`, score: tuned, isWritten: out !== null }]),
  ]
}

function verdicts(report: FuseReport): string[] {
  const { fused, tuned } = report
  const candidates = [
    fused && { label: 'fused', accuracy: fused.accuracy },
    tuned?.accuracy !== undefined && { label: 'tuned', accuracy: tuned.accuracy },
  ].filter((candidate) => candidate !== null && candidate !== false)
  const controls = controlsOf(report)
  return candidates.flatMap((candidate) => wrapWords(verdict(candidate, controls), LINE_WIDTH))
}

function controlsOf({ parents, ensemble, controls }: FuseReport): Control[] {
  const { average, averageTuned, proxyAlone, bestParentTuned } = controls
  const best = parents.toSorted((a, b) => (b.accuracy ?? 0) - (a.accuracy ?? 0))[0]!
  const scored: [label: string, score: Scored][] = [
    [`best parent (${shortened(best.file)})`, { accuracy: best.accuracy ?? undefined }],
    ['ensemble', ensemble],
    ['plain average', average],
    ['plain average + fine-tuning', averageTuned],
    ['proxy set alone', proxyAlone],
    ['best parent + fine-tuning', bestParentTuned],
  ]
  return scored.flatMap(([label, score]) =>
    score?.accuracy === undefined ? [] : [{ label, accuracy: score.accuracy }],
  )
}

function notes({ isCounted, reason, test }: FuseReport): string[] {
  return [
    ...(reason === null ? [] : [reason]),
    ...(isCounted
      ? []
      : [
          'Not every file says how many examples of which class it was trained on (num_examples, class_counts), so all parents count alike.',
        ]),
    ...(test === null ? ['Nothing was judged: give --test NAME.'] : []),
  ]
}

function costs({ seconds, phases, peakRssMb, engine, seed, out, ledger }: FuseReport): string[] {
  const spent = Object.entries({
    read: phases.read,
    compare: phases.compare,
    tune: phases.tune,
    judge: phases.judge,
  })
    .map(([phase, time]) => `${phase} ${time.toFixed(1)} s`)
    .join(', ')
  return [
    ...(ledger === null ? [] : [`fused in ${seconds.toFixed(1)} s`]),
    `${spent}; seed ${seed}, engine ${engine}, peak memory ${peakRssMb} MiB`,
    ...(out === null ? [] : [`written to ${out}`]),
  ]
}

const nameOf = (file: string): string => basename(file, '.safetensors')

function shortened(file: string, width = LABEL_WIDTH - 22): string {
  return file.length <= width ? file : `…${file.slice(1 - width)}`
}
