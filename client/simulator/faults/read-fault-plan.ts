import { readFile } from 'node:fs/promises'
import { GraftError } from '../../../shared/errors.ts'
import { FaultPlan } from '../../../shared/protocol/fault-plan.ts'

/**
 * @throws GraftError GRAFT_OPTION_INVALID naming the file, each fault in it, and what is allowed;
 *   GRAFT_FILE_UNREADABLE
 */
export async function readFaultPlan(file: string): Promise<FaultPlan> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw new GraftError('GRAFT_FILE_UNREADABLE', `The fault plan ${file} cannot be read.`, {
      cause,
    })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    const problem = `The fault plan ${file} is not JSON: ${(cause as Error).message}.`
    throw new GraftError('GRAFT_OPTION_INVALID', problem, { cause })
  }
  const parsed = FaultPlan.safeParse(value)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${path.length === 0 ? 'the plan' : path.join('.')}: ${message}`,
  )
  throw new GraftError('GRAFT_OPTION_INVALID', `The fault plan ${file}: ${problems.join('; ')}.`)
}
