import { RoundReport } from '../../shared/protocol/run-report.ts'
import type { ModelRecord } from '../store/store.ts'

/** A round's report as the store keeps it: the ledger has a column of its own. */
export function toStored({
  ledger,
  ...report
}: RoundReport): Pick<ModelRecord, 'report' | 'ledger'> {
  return { report, ledger: ledger ?? null }
}

/** The report as it was before {@link toStored}. @throws z.ZodError for what Graft never wrote */
export function fromStored({
  report,
  ledger,
}: Pick<ModelRecord, 'report' | 'ledger'>): RoundReport {
  return RoundReport.parse({ ...(report as object), ...(ledger !== null && { ledger }) })
}
