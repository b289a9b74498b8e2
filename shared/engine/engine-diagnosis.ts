import type { EngineName } from './engine.ts'

/** What can be said of an engine without starting it in this process. */
export interface EngineDiagnosis {
  name: EngineName
  usable: boolean
  /** Version of the back end's package, where it is there. */
  version?: string
  /** Where the engine's binary lies. */
  folder?: string
  /** One sentence: what was found, or why the engine cannot run. */
  detail: string
  /** One sentence: what to do about it; only where something can be done. */
  remedy?: string
}
