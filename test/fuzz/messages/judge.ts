import { assertNever } from '../../../shared/assert-never.ts'
import { ERRORS, type ErrorCode } from '../../../shared/errors.ts'
import { isPlain } from './mutate-value.ts'
import type { Mutant } from './kind.ts'
import type { Outcome } from './raw-connection.ts'

export interface Judgement {
  /** Of the report. */
  readonly outcome: string
  /** What is wrong with it; absent when all is well. */
  readonly problem?: string
}

/** Whether a coordinator may answer so. */
export function judge(
  { expects, codes = ['GRAFT_MESSAGE_INVALID'] }: Mutant,
  outcome: Outcome,
): Judgement {
  const what = nameOf(outcome)
  const code = codeOf(outcome)
  if (outcome.type === 'admitted') return { outcome: what, problem: 'was admitted' }
  if (outcome.type === 'silent') return { outcome: what, problem: 'was not answered' }
  if (outcome.type === 'answered' && isPlain(outcome.reply) && outcome.reply['ok'] === true) {
    return { outcome: what, problem: 'was accepted' }
  }
  if (code !== null && ERRORS[code].status >= 500)
    return { outcome: what, problem: 'was not foreseen' }
  const isSaid = code !== null && codes.includes(code)
  if (isAllowed(expects, outcome.type, isSaid)) return { outcome: what }
  const wanted = expects === 'closed' ? expects : `${expects} with ${codes.join(' or ')}`
  return { outcome: what, problem: `was ${what}, not ${wanted}` }
}

function isAllowed(expects: Mutant['expects'], type: Outcome['type'], isSaid: boolean): boolean {
  switch (expects) {
    case 'refused':
      return type === 'answered' && isSaid
    case 'told':
      return type === 'closed' && isSaid
    case 'closed':
      return type === 'closed'
    case 'not accepted':
      return true
    default:
      return assertNever(expects)
  }
}

function nameOf(outcome: Outcome): string {
  const code = codeOf(outcome)
  switch (outcome.type) {
    case 'answered':
      return code ?? `answered ${JSON.stringify(outcome.reply).slice(0, 80)}`
    case 'closed':
      return code === null ? 'closed' : `closed ${code}`
    case 'ignored':
      return 'passed over'
    case 'admitted':
    case 'silent':
      return outcome.type
    default:
      return assertNever(outcome)
  }
}

function codeOf(outcome: Outcome): ErrorCode | null {
  const said =
    outcome.type === 'answered' ? outcome.reply : outcome.type === 'closed' ? outcome.told : null
  if (!isPlain(said)) return null
  const { code, message } = said
  const isKnown = typeof code === 'string' && Object.hasOwn(ERRORS, code)
  return isKnown && typeof message === 'string' ? (code as ErrorCode) : null
}
