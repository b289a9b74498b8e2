/** In milliseconds; the shortest that a timer of Node waits. */
const PAUSE = 1

type Callback = (...args: unknown[]) => void

interface Timers {
  setImmediate: typeof setImmediate
}

/**
 * Makes Dawn ask every millisecond whether the GPU is done. It asks in each turn of the event loop, as fast as that
 * turns, by what stands as `setImmediate` on the global object: that keeps a core busy, which a software adapter would
 * compute on. Callbacks of anybody else run as before.
 *
 * @param timers where Dawn looks for `setImmediate`; anything else than the global object is for tests
 */
export function paceDawn(timers: Timers = globalThis): void {
  const immediate = timers.setImmediate
  // Nobody clears what Dawn asks for, so it may be of another kind.
  const paced = (callback: Callback, ...args: unknown[]): NodeJS.Immediate =>
    isOfDawn(callback)
      ? (setTimeout(callback, PAUSE) as unknown as NodeJS.Immediate)
      : immediate(callback, ...args)
  // Keeps setImmediate's form for promisify.
  timers.setImmediate = Object.assign(paced, immediate)
}

/** A native function without name and parameters. A promise's `resolve` has one parameter, a bound function a name. */
const isOfDawn = (callback: Callback): boolean =>
  callback.name === '' &&
  callback.length === 0 &&
  Function.prototype.toString.call(callback).includes('[native code]')
