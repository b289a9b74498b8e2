import Table from 'cli-table3'
import pc from 'picocolors'
import type { Colors } from '../../shared/command/text-stream.ts'
import type { LedgerReport } from '../../shared/protocol/ledger.ts'
import { judgedParents } from '../../shared/protocol/judged-parents.ts'
import type { RoundReport } from '../../shared/protocol/run-report.ts'
import { parentShares } from '../fusion/ledger.ts'
import { unpackLedger } from '../fusion/pack-ledger.ts'
import { checksLines } from './checks-lines.ts'
import { encodingLine } from './encoding-line.ts'
import { diversityLine } from './diversity-line.ts'
import { megabytes, percent, wrapWords } from '../../shared/terminal/format.ts'
import { controlsOf, verdict } from './verdict.ts'

interface Row {
  readonly label: string
  /** null: not measured. */
  readonly score: { readonly accuracy: number; readonly loss?: number | undefined } | null
  readonly isPublished?: boolean
}

const PUBLISHED = '●'

/** Characters of a line below the table: what every terminal has room for. */
const LINE_WIDTH = 80

/**
 * One round for people: every parent, every control, the fused and the tuned network with the published
 * one marked, then whether fusion was worth it, and what it cost.
 *
 * @param colors none by default
 * @returns lines joined by line ends, without a last one
 */
export function roundTable(round: RoundReport, colors: Colors = pc.createColors(false)): string {
  const table = new Table({
    head: ['', `round ${round.round}`, 'accuracy', 'loss'].map(colors.bold),
    colAligns: ['left', 'left', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  })
  for (const { label, score, isPublished = false } of rowsOf(round)) {
    const accuracy = score === null ? 'not measured' : percent(score.accuracy)
    const loss = score?.loss === undefined ? '' : score.loss.toFixed(4)
    const cells = [isPublished ? PUBLISHED : '', label, accuracy, loss]
    table.push(isPublished ? cells.map(colors.green) : cells)
  }
  return [table.toString(), ...footer(round, colors)].join('\n')
}

function rowsOf({ parents, controls, fused, tuned, published }: RoundReport): Row[] {
  const { ensemble, average, averageTuned, proxyAlone, bestParentTuned } = controls
  const bestParent =
    bestParentTuned === null ? 'best parent' : `best parent (${bestParentTuned.parent})`
  const effort = tuned.isTuned ? `${tuned.epochs} epochs` : 'no epoch helped: as fused'
  const kept: Row = { label: 'global model, kept', score: published, isPublished: true }
  const beside: readonly Row[] = [
    { label: 'ensemble', score: ensemble },
    { label: 'plain average', score: average },
    { label: 'plain average + fine-tuning', score: averageTuned },
    { label: 'proxy set alone', score: proxyAlone },
    { label: `${bestParent} + fine-tuning`, score: bestParentTuned },
  ]
  return [
    ...judgedParents({ parents }).map((parent) => ({
      label: `parent ${parent.client} (${parent.numExamples} examples)`,
      score: parent,
    })),
    // Of a round that measures none of them, nothing is said of each.
    ...(beside.some(({ score }) => score !== null) ? beside : []),
    { label: 'fused', score: fused, isPublished: published.candidate === 'fused' },
    { label: `tuned (${effort})`, score: tuned, isPublished: published.candidate === 'tuned' },
    ...(published.candidate === 'kept' ? [kept] : []),
  ]
}

function footer(round: RoundReport, colors: Colors): string[] {
  const { published, seconds, bytes } = round
  const controls = controlsOf(round)
  const candidates = [
    { label: 'fused', accuracy: round.fused.accuracy },
    { label: 'tuned', accuracy: round.tuned.accuracy },
  ]
  const spent = Object.entries(seconds).map(([phase, time]) => `${phase} ${time.toFixed(1)} s`)
  const [up, down] = [megabytes(bytes.up), megabytes(bytes.down)]
  const lines = [
    ...(round.diversity === undefined ? [] : [`parents: ${diversityLine(round.diversity)}`]),
    ...(round.checks === undefined ? [] : checksLines(round.checks)),
    ...candidates.map((candidate) => verdict(candidate, controls)),
    ...(round.fused.reason === undefined ? [] : [`fused: ${round.fused.reason}`]),
    `${PUBLISHED} ${published.isNew ? '' : 'the global model stays: '}${published.reason}`,
    ...(round.encoding === undefined ? [] : [encodingLine(round.encoding, published)]),
    ...(round.ledger === undefined ? [] : [`neurons: ${origins(round.ledger)}`]),
  ]
  const cost = [
    `${round.uploads} updates of ${round.cohort} clients; ${spent.join(', ')}`,
    `up ${up}, down ${down}; peak memory ${Math.round(round.peakRssMb)} MiB`,
  ]
  const wrapped = (text: string) => wrapWords(text, LINE_WIDTH)
  return [...lines.flatMap(wrapped), ...cost.flatMap(wrapped).map(colors.dim)]
}

/** Whose neurons make the model, as in `ada 60 %, bob 40 %`. */
function origins(ledger: LedgerReport): string {
  const shares = parentShares(unpackLedger(ledger))
  return ledger.parents.map((id, i) => `${id} ${Math.round(100 * shares[i]!)} %`).join(', ')
}
