import { GraftError } from '../errors.ts'
import { startNative } from './native.ts'
import { startWasm } from './wasm.ts'

/** What `--engine` and GRAFT_ENGINE accept. */
export const ENGINE_CHOICES = ['auto', 'native', 'wasm'] as const
export type EngineChoice = (typeof ENGINE_CHOICES)[number]
export type EngineName = 'native' | 'wasm'

/** The TensorFlow.js back end of this process. */
export interface Engine {
  name: EngineName
  /** One sentence: why this one. */
  reason: string
  /** Version of the back end's package. */
  version: string
}

/**
 * Starts the engine of this process: sets the TensorFlow.js back end, and for wasm replaces its slow
 * kernels. `auto` takes native where it is installed, else wasm; no choice ends in tfjs's pure
 * JavaScript back end. Call it once, before the first tensor.
 *
 * @throws GraftError GRAFT_ENGINE_UNAVAILABLE when the engine asked for cannot run on this machine
 */
export async function startEngine(choice: EngineChoice): Promise<Engine> {
  if (choice === 'wasm') {
    return { name: 'wasm', reason: 'It was asked for.', version: await startWasm() }
  }
  try {
    const version = await startNative()
    const reason = choice === 'native' ? 'It was asked for.' : 'It is installed, and the fastest.'
    return { name: 'native', reason, version }
  } catch (error) {
    if (choice === 'native' || !(error instanceof GraftError)) throw error
    return {
      name: 'wasm',
      reason: `No native engine: ${error.problem}`,
      version: await startWasm(),
    }
  }
}
