import { GraftError, toGraftError } from './errors.ts'

/** Runs a task and says which file its error is about. @throws GraftError that names the file */
export async function naming<T>(file: string, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    const { code, problem } = toGraftError(error)
    const named = problem.includes(file) ? problem : `${file}: ${problem}`
    throw new GraftError(code, named, { cause: error })
  }
}
