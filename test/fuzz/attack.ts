import { type LeftBehind, listBlobs, readLeftBehind } from './coordinator/left-behind.ts'
import { coordinatorWords } from './coordinator/words.ts'
import type { Sample } from '../support/memory-sample.ts'
import { startWatchedCoordinator } from '../support/watched-coordinator.ts'
import type { EngineChoice } from '../../shared/engine/engine.ts'
import type { BlobId, ClientId } from '../../shared/ids.ts'
import { attackerNames, HONEST, joinRun, learnFacts, type Member, sendHonestly } from './members.ts'
import { sendMessages } from './messages/send-messages.ts'
import { sendFiles } from './safetensors/send-files.ts'
import { createTally, type Tally } from './tally.ts'
import { settled, type Watch, watchStage } from './watch.ts'
import { within } from './within.ts'

export interface AttackOptions {
  readonly seed: number
  readonly engine: EngineChoice
  readonly messages: number
  readonly files: number
  /** Empty folder for the coordinator. */
  readonly home: string
  /** Told of each stage as it begins, and ten times on the way. */
  onStage(line: string): void
}

/** Everything that the verdict is about. */
export interface AttackResult {
  readonly wanted: { readonly messages: number; readonly files: number }
  readonly messages: Tally
  readonly files: Tally
  readonly watches: readonly Watch[]
  /** With the honest client alone: before, and after each stage that came to its end. */
  readonly idle: readonly Sample[]
  readonly blobs: { readonly before: readonly string[]; readonly after: readonly string[] }
  /** Blobs of the valid updates that were accepted at the end, by client. */
  readonly honestUpdates: ReadonlyMap<string, BlobId>
  readonly members: readonly ClientId[]
  /** Why the attack did not come to its end; null when it did. */
  readonly problem: string | null
  readonly exit: number | string
  readonly complaints: string
  readonly output: string
  readonly leftBehind: LeftBehind
  readonly seconds: number
}

/** Clients of the cohort that attack, in parallel. */
const ATTACKERS = 8

/**
 * One round under attack: a cohort is invited, all of it but one honest client sends malformed messages and
 * malformed updates, and in the end everyone sends a valid update.
 */
export async function attack(options: AttackOptions): Promise<AttackResult> {
  const { seed, engine, home, onStage } = options
  const names = attackerNames(ATTACKERS)
  const [messages, files] = [createTally(), createTally()]
  const watches: Watch[] = []
  const idle: Sample[] = []
  const blobs = { before: [] as string[], after: [] as string[] }
  const honestUpdates = new Map<string, BlobId>()
  const begun = performance.now()
  let problem: string | null = null

  await using coordinator = await startWatchedCoordinator(
    await coordinatorWords(home, { clients: names.length + 1, engine }),
  )
  const { url, hasEnded } = coordinator
  const open: Member[] = []
  const joinAll = async (names: readonly ClientId[]): Promise<Member[]> => {
    const members = await joinRun(url, names)
    open.push(...members)
    return members
  }
  const [honest, ...others] = await joinAll([HONEST, ...names])
  const facts = await learnFacts(honest!)
  try {
    for (const member of others) member.close()
    blobs.before = await listBlobs(home)
    idle.push(await settled(coordinator))
    await sendMalformedMessages()
    await sendMalformedUpdates()
    await sendValidUpdates()
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error)
  }
  if (problem !== null) coordinator.end()
  const exit = await within(60, coordinator.ended, 'The coordinator does not end.').catch(String)
  for (const member of open) member.close()
  return {
    wanted: { messages: options.messages, files: options.files },
    members: [HONEST, ...names],
    ...{ messages, files, watches, idle, blobs, honestUpdates, problem, exit },
    complaints: coordinator.complaints(),
    output: coordinator.output(),
    leftBehind: await readLeftBehind(home, facts.run),
    seconds: (performance.now() - begun) / 1000,
  }

  async function sendMalformedMessages(): Promise<void> {
    const count = options.messages
    onStage(`${count} malformed messages ...`)
    const { onSent } = watch('messages', count)
    await sendMessages({ url, facts, seed, count, names, tally: messages, onSent, hasEnded })
    idle.push(await settled(coordinator, idle[0]))
  }

  async function sendMalformedUpdates(): Promise<void> {
    const count = options.files
    onStage(`${count} malformed updates ...`)
    const { onSent } = watch('updates', count)
    const members = await joinAll(names)
    const connections = members.map(({ connection }) => connection)
    await sendFiles({ facts, seed, count, connections, tally: files, onSent, hasEnded })
    for (const member of members) member.close()
    idle.push(await settled(coordinator, idle[0]))
    blobs.after = await listBlobs(home)
  }

  async function sendValidUpdates(): Promise<void> {
    onStage('a valid update of everyone ...')
    const everyone = [honest!, ...(await joinAll(names))]
    const over = Promise.all(everyone.map((member) => member.published()))
    over.catch(() => undefined) // awaited below
    for (const member of everyone) honestUpdates.set(member.name, await sendHonestly(member, facts))
    await within(120, over, 'The round has not published a model.')
    await within(60, coordinator.ended, 'The coordinator has not ended the run.')
  }

  function watch(stage: string, count: number): Watch {
    const watched = watchStage(stage, coordinator, count, onStage)
    watches.push(watched)
    return watched
  }
}
