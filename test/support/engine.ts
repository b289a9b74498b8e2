import { type Engine, ENGINE_CHOICES, startEngine } from '../../shared/engine/engine.ts'
import { readEnvironment } from '../../shared/config.ts'

/** Starts the engine that GRAFT_ENGINE names, `auto` without it; call it in `beforeAll`. */
export async function startTestEngine(): Promise<Engine> {
  const wanted = readEnvironment('GRAFT_ENGINE') ?? 'auto'
  const choice = ENGINE_CHOICES.find((known) => known === wanted)
  if (choice === undefined) {
    throw new RangeError(`GRAFT_ENGINE is ${wanted}; choose ${ENGINE_CHOICES.join(', ')}`)
  }
  return startEngine(choice)
}
