import { readdirSync, watch } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createTemporaryFolder } from './temporary-folder.ts'

export interface FakeStart {
  readonly words: string[]
  readonly token: string | undefined
}

/**
 * Puts a script in the place of this process's `graft`, which is what the simulator starts. Each start
 * notes its words; then it does what `behaviour` says of its first word, e.g. `{ coordinator: 'exit 3' }`:
 * `listen` (and wait for a signal), `listen and exit` (when a worker has come), `exit N`, `die`.
 */
export async function installFakeGraft(behaviour: Readonly<Record<string, string>>) {
  const folder = await createTemporaryFolder()
  const script = join(folder.path, 'graft.mjs')
  await writeFile(script, SCRIPT)
  const before = process.argv[1]
  process.argv[1] = script
  process.env['FAKE_GRAFT'] = JSON.stringify(behaviour)
  return {
    /** Every start so far, sorted by its words. */
    async starts(): Promise<FakeStart[]> {
      const files = (await readdir(folder.path)).filter(isStart)
      const texts = await Promise.all(
        files.map((name) => readFile(join(folder.path, name), 'utf8')),
      )
      return texts.sort().map((text) => JSON.parse(text) as FakeStart)
    },
    /** Resolves when so many have started, and can be stopped. */
    async started(count: number): Promise<void> {
      await new Promise<void>((resolve) => {
        const look = () => {
          if (readdirSync(folder.path).filter(isStart).length < count) return
          watcher.close()
          resolve()
        }
        const watcher = watch(folder.path, look)
        look()
      })
    },
    async [Symbol.asyncDispose]() {
      process.argv[1] = before!
      delete process.env['FAKE_GRAFT']
      await folder[Symbol.asyncDispose]()
    },
  }
}

const isStart = (file: string): boolean => file.endsWith('.json')

const SCRIPT = `
import { readdirSync, watch, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

process.on('SIGTERM', () => process.exit(130))
// Not left behind by a test that failed.
process.on('disconnect', () => process.exit(130))
const folder = dirname(fileURLToPath(import.meta.url))
const words = process.argv.slice(2)
const token = process.env.GRAFT_TOKEN ?? process.env.GRAFT_JOIN_TOKEN
const todo = JSON.parse(process.env.FAKE_GRAFT)[words[0]] ?? 'exit 0'
writeFileSync(join(folder, words[0] + process.pid + '.json'), JSON.stringify({ words, token }))
if (todo.startsWith('listen')) process.send({ type: 'listening', url: 'http://127.0.0.1:1' })
if (todo === 'die') process.kill(process.pid, 'SIGKILL')
else if (todo.startsWith('exit')) process.exit(Number(todo.slice(5)))
else if (todo === 'listen and exit') {
  const leave = () => {
    if (readdirSync(folder).some((name) => name.startsWith('simulate-worker'))) process.exit(0)
  }
  watch(folder, leave)
  leave()
} else setInterval(() => undefined, 1000)
`
