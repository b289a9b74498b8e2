import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { ClientNews, type ClientProcessOptions, type DropClient } from './client-messages.ts'

const WORKER = resolve(import.meta.dirname, 'client-worker.js')

/** A process of clients that is started again whenever it was killed. */
export interface ClientProcess {
  /** SIGKILL for it and all of its clients; another one takes its place at once. */
  kill(): void
  /** Lets one client drop its connection and come back. */
  drop(client: string): void
  /** Ends it for good. */
  [Symbol.asyncDispose](): Promise<void>
}

/** @param onNews told of what its clients do; of a process that ends by itself unasked, that its clients failed */
export function startClientProcess(
  options: ClientProcessOptions,
  onNews: (news: ClientNews) => void,
): ClientProcess {
  let child = start()
  let isOver = false

  function start(): ChildProcess {
    const started = fork(WORKER, [JSON.stringify(options)], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    let stderr = ''
    started.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    started.on('error', () => undefined) // a message to a process that was just killed
    started.on('message', (message) => {
      if (child === started) onNews(ClientNews.parse(message))
    })
    started.on('exit', (status, signal) => {
      if (isOver || child !== started || status === 0) return
      const client = options.clients.map(({ name }) => name).join(', ')
      const problem = `its process ended with ${signal ?? status}: ${stderr.slice(-500)}`
      onNews({ type: 'failed', client, problem })
    })
    return started
  }

  return {
    kill() {
      const old = child
      if (isOver || old.exitCode !== null) return
      child = start()
      old.kill('SIGKILL')
    },
    drop(client) {
      if (child.connected) child.send({ type: 'drop', client } satisfies DropClient)
    },
    async [Symbol.asyncDispose]() {
      isOver = true
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
  }
}
