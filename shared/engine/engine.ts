import { GraftError } from '../errors.ts'
import { startNative } from './native.ts'
import { startWasm } from './wasm.ts'
import { startWebgpu } from './webgpu.ts'

/** What `--engine` and GRAFT_ENGINE accept. */
export const ENGINE_CHOICES = ['auto', 'native', 'webgpu', 'wasm'] as const
export type EngineChoice = (typeof ENGINE_CHOICES)[number]
export type EngineName = Exclude<EngineChoice, 'auto'>

/** The TensorFlow.js back end of this process. */
export interface Engine {
  name: EngineName
  /** One sentence or two: why this one, and what it runs on where that is not plain. */
  reason: string
  /** Version of the back end's package. */
  version: string
}

/** Starts each engine; tests give others. */
export const STARTERS = { native: startNative, webgpu: startWebgpu, wasm: startWasm }

/**
 * Starts the engine of this process: sets the TensorFlow.js back end, with replacements for its kernels
 * that are slow, missing or wrong. `auto` takes native where it is installed, else webgpu where there is a
 * GPU, else wasm. An engine asked for by name is never replaced by another, no choice ends in tfjs's pure
 * JavaScript back end, and a software adapter serves webgpu only when webgpu was asked for. Call it once,
 * before the first tensor.
 *
 * @throws GraftError GRAFT_ENGINE_UNAVAILABLE when the engine asked for cannot run on this machine
 */
export async function startEngine(choice: EngineChoice, starters = STARTERS): Promise<Engine> {
  const reason = 'It was asked for.'
  switch (choice) {
    case 'native':
      return { name: choice, reason, version: await starters.native() }
    case 'webgpu': {
      const { version, adapter, isSoftware } = await starters.webgpu({ allowSoftware: true })
      const on = isSoftware ? `Software adapter ${adapter}: slow.` : `On ${adapter}.`
      return { name: choice, reason: `${reason} ${on}`, version }
    }
    case 'wasm':
      return { name: choice, reason, version: await starters.wasm() }
    case 'auto':
      return startFastest(starters)
  }
}

async function startFastest(starters: typeof STARTERS): Promise<Engine> {
  const reasons: string[] = []
  try {
    const version = await starters.native()
    return { name: 'native', reason: 'It is installed, and the fastest.', version }
  } catch (error) {
    reasons.push(`No native engine: ${problemOf(error)}`)
  }
  try {
    const { version, adapter } = await starters.webgpu({ allowSoftware: false })
    return { name: 'webgpu', reason: [...reasons, `On ${adapter}.`].join(' '), version }
  } catch (error) {
    reasons.push(`No webgpu engine: ${problemOf(error)}`)
  }
  return { name: 'wasm', reason: reasons.join(' '), version: await starters.wasm() }
}

/** @throws `error` when it is a bug, and not an engine that is unavailable */
function problemOf(error: unknown): string {
  if (!(error instanceof GraftError)) throw error
  return error.problem
}
