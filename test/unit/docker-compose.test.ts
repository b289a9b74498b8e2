import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { clientCommand } from '../../client/node/main.ts'
import { coordinatorCommand } from '../../server/main.ts'
import { ENVIRONMENT } from '../../shared/config.ts'

interface Service {
  build?: unknown
  command?: string[]
  environment?: Record<string, string>
  volumes?: string[]
  depends_on?: Record<string, unknown>
  healthcheck?: unknown
}

const COMMANDS: Record<string, Command> = { coordinator: coordinatorCommand, client: clientCommand }

describe('docker-compose.yml', () => {
  let text: string
  let services: Record<string, Service>
  let volumes: Record<string, unknown>
  /** Those that run this repository's image. */
  let ours: [name: string, service: Service][]

  beforeAll(async () => {
    text = await readFile('docker-compose.yml', 'utf8')
    const file = parse(text, { merge: true }) as {
      services: typeof services
      volumes: typeof volumes
    }
    ;({ services, volumes } = file)
    ours = Object.entries(services).filter(([, service]) => service.build !== undefined)
  })

  it('should run a coordinator and three clients, each with a part of its own', () => {
    expect(ours.map(([name]) => name)).toEqual(['coordinator', 'client-0', 'client-1', 'client-2'])
    expect(flagValues('--shard')).toEqual(['0/3', '1/3', '2/3'])
    expect(flagValues('--clients')).toEqual(['3'])
  })

  it('should set only environment variables that Graft reads', () => {
    for (const [name, { environment = {} }] of ours) {
      for (const variable of Object.keys(environment)) {
        expect(Object.keys(ENVIRONMENT), `${variable} of ${name}`).toContain(variable)
      }
    }
  })

  it('should give only flags that the commands have', () => {
    for (const [name, { command = [] }] of ours) {
      const [word = '', ...flags] = command
      const known = COMMANDS[word]?.options.map((option) => option.long)
      for (const flag of flags) expect(known, `${flag} of ${name}`).toContain(flag.split('=')[0])
    }
  })

  it('should not start without a join token, nor hold one', () => {
    const tokens = ours.map(
      ([, { environment = {} }]) => environment['GRAFT_JOIN_TOKEN'] ?? environment['GRAFT_TOKEN'],
    )

    expect(tokens).toHaveLength(4)
    for (const token of tokens) expect(token).toMatch(/^\$\{GRAFT_JOIN_TOKEN:\?.+\}$/)
  })

  it('should point the clients at the coordinator’s own name and default port', () => {
    const port = coordinatorCommand.options.find((option) => option.long === '--port')

    expect(port?.description).toContain('default 7433')
    for (const [name, { environment = {} }] of ours.slice(1)) {
      expect(environment['GRAFT_SERVER'], name).toBe('http://coordinator:7433')
    }
  })

  it('should wait for services that say when they are ready, and name volumes that exist', () => {
    for (const [name, service] of Object.entries(services)) {
      for (const other of Object.keys(service.depends_on ?? {})) {
        expect(services[other]?.healthcheck, `${name} waits for ${other}`).toBeDefined()
      }
      for (const volume of service.volumes ?? []) {
        expect(Object.keys(volumes), `${volume} of ${name}`).toContain(volume.split(':')[0])
      }
    }
  })

  function flagValues(flag: string): (string | undefined)[] {
    return ours
      .flatMap(([, { command = [] }]) => command)
      .filter((word) => word.startsWith(`${flag}=`))
      .map((word) => word.split('=')[1])
  }
})

describe('Dockerfile', () => {
  it('should copy only what is in the repository and let through by .dockerignore', async () => {
    const allowed = (await readFile('.dockerignore', 'utf8'))
      .split('\n')
      .flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []))
    const copied = (await readFile('Dockerfile', 'utf8'))
      .split('\n')
      .flatMap((line) => /^COPY (?!--from)(.+) \S+$/.exec(line)?.[1]?.split(' ') ?? [])

    expect(copied.toSorted()).toEqual(allowed.toSorted())
    for (const path of copied) expect(existsSync(path), path).toBe(true)
  })

  it('should not run as root', async () => {
    const lines = (await readFile('Dockerfile', 'utf8')).split('\n')

    expect(lines.filter((line) => line.startsWith('USER ')).at(-1)).toBe('USER node')
  })
})
