import { type Command, CommanderError } from 'commander'
import { readEnvironment } from '../config.ts'
import { ERRORS, EXIT, GraftError, toGraftError } from '../errors.ts'

/**
 * Runs the program and ends the process with the exit status of the error, if there is one. An error is
 * one line on stderr with its code and remedy; GRAFT_DEBUG=1 adds the stack and its causes.
 */
export async function runProgram(program: Command, argv: readonly string[]): Promise<void> {
  prepare(program)
  endQuietlyWithoutReader()
  // What no one awaited is a bug, and ends as every other error does: in one line.
  process.on('uncaughtException', (error) => process.exit(report(error)))
  try {
    await program.parseAsync([...argv])
  } catch (error) {
    process.exitCode = report(error)
  }
  // Native engines and databases may keep handles open: what had to be closed is closed by now.
  process.exit()
}

/** Ctrl-C or a stop signal: the command ended as asked, and says nothing more. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

/** Another `graft` process has said already what went wrong; only its exit status is passed on. */
export class ChildFailed extends Error {
  override readonly name = 'ChildFailed'
  readonly exitStatus: number

  constructor(exitStatus: number) {
    super(`a graft process ended with status ${exitStatus}`)
    this.exitStatus = exitStatus
  }
}

/**
 * Aborted by the first Ctrl-C (or SIGTERM), so that a command can end cleanly; a second one kills. The end
 * of a `graft` process that started this one counts as Ctrl-C, whatever ended it.
 */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController()
  const interrupt = (reason: string) => {
    controller.abort(new Interrupted(reason))
  }
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => {
      interrupt(name)
      // Somebody goes on listening: write-file-atomic, while it writes, ends a process in which nobody else does.
      process.once(name, () => void process.kill(process.pid, name))
    })
  }
  // A process that was not forked has no channel, and no `send`.
  if (process.send === undefined) return controller.signal
  const orphaned = () => {
    interrupt('the parent process ended')
  }
  if (process.connected) process.once('disconnect', orphaned)
  else orphaned()
  return controller.signal
}

/** `graft ... | head`: whoever read the output has had enough, which is as good as Ctrl-C. */
function endQuietlyWithoutReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    let isBroken = false
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      if (!isBroken) process.kill(process.pid, 'SIGTERM')
      isBroken = true
    })
  }
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return reportUsage(error)
  if (isInterrupted(error)) return 130
  if (error instanceof ChildFailed) return error.exitStatus
  const failure = toGraftError(error)
  process.stderr.write(`graft: ${oneLine(failure.message)}\n`)
  if (readEnvironment('GRAFT_DEBUG') !== undefined) console.error(failure)
  return ERRORS[failure.code].exit
}

/** What of Node.js is aborted by a signal throws an error of its own, with the signal's reason as its cause. */
const isInterrupted = (error: unknown): boolean =>
  error instanceof Interrupted || (error instanceof Error && error.cause instanceof Interrupted)

/** commander has names of its own for wrong words: they leave as one of ours. */
function reportUsage(error: CommanderError): number {
  if (error.exitCode === 0) return EXIT.ok
  // A command that only has commands: its help has been shown in the place of an error.
  if (error.code === 'commander.help') return EXIT.usage
  const problem = error.message.replace(/^error: /, '').replace(/\.?$/, '.')
  return report(new GraftError('GRAFT_OPTION_INVALID', problem))
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ')
}

function prepare(command: Command): void {
  command.exitOverride().configureOutput({
    outputError: () => undefined, // said by reportUsage
  })
  command.commands.forEach(prepare)
}
