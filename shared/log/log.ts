import pino from 'pino'
import { GraftError } from '../errors.ts'

/** Lines for machines, beside what people see. Ids only: never a token, a weight or an example. */
export type Log = pino.Logger

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Where a log goes. */
export interface LogPlace {
  /** A file, to which lines are added, or `-` for stdout; undefined: there is none. */
  readonly to: string | undefined
  readonly level: LogLevel
}

/** Says nothing. */
export const SILENT: Log = pino({ level: 'silent' })

/** What must be in no log, should somebody hand it over by mistake. */
const SECRETS = ['token', 'secret', 'password', 'authorization', 'cookie'].flatMap((name) => [
  name,
  `*.${name}`,
  `*.*.${name}`,
])

/**
 * JSON lines with `time`, `level`, `role` and what each says: `event`, and of `run`, `round`, `client`, `connection`, `update`,
 * `model` those that it is about. Written before the call returns, so that a process that is killed has said what it did.
 *
 * @param role who writes it
 * @throws GraftError GRAFT_FILE_UNREADABLE when the file cannot be opened
 */
export function openLog({ to, level }: LogPlace, role: 'coordinator' | 'client'): Log {
  if (to === undefined) return SILENT
  const options = {
    level,
    base: { role, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: SECRETS, remove: true },
  }
  try {
    const dest = to === '-' ? 1 : to
    return pino(options, pino.destination({ dest, append: true, mkdir: true, sync: true }))
  } catch (error) {
    throw new GraftError('GRAFT_FILE_UNREADABLE', `Cannot write the log ${to}.`, { cause: error })
  }
}

/** Where people read what happens: stdout, unless the log has that for itself. */
export const screenBeside = ({ to }: Pick<LogPlace, 'to'>): NodeJS.WriteStream =>
  to === '-' ? process.stderr : process.stdout
