import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { openStore } from '../../../../server/store/open-store.ts'
import { tokenCommand } from '../../../../server/store/token-command.ts'
import type { Store } from '../../../../server/store/store.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.ts'

interface Report {
  id: string
  kind: string
  client: string | null
  label: string
  createdAt: string
  expiresAt: string | null
  state: string
  secret?: string
}

describe('graft token', () => {
  let folder: TemporaryFolder

  beforeAll(async () => {
    vi.stubEnv('DATABASE_URL', '')
    folder = await createTemporaryFolder()
  })

  afterAll(async () => {
    vi.unstubAllEnvs()
    await folder[Symbol.asyncDispose]()
  })

  beforeEach(() => {
    vi.restoreAllMocks()
  })

  it('should make a token whose secret the store then finds', async () => {
    const report = await createJson('--client', 'alice', '--expires', '30d')

    expect(report).toMatchObject({
      kind: 'client',
      client: 'alice',
      label: 'alice',
      state: 'valid',
    })
    const days = (Date.parse(report.expiresAt!) - Date.parse(report.createdAt)) / 86_400_000
    expect(days).toBeCloseTo(30, 3)
    const found = await onStore((store) => store.findToken(report.secret!))
    expect(found).toMatchObject({ id: report.id, clientId: 'alice' })
  })

  it('should show the secret once, and never in the list', async () => {
    const { id, secret } = await createJson('--join', '--label', 'field trial')
    const list = await graft('list')

    expect(list).toContain(id)
    expect(list).toContain('field trial')
    expect(list).not.toContain(secret)
    expect(await graft('list', '--json')).not.toContain(secret)
  })

  it('should say in words what the token is for and print the secret on a line of its own', async () => {
    const lines = (await graft('create', '--operator')).split('\n')

    expect(lines[0]).toMatch(/^Token \S+ \(operator as admin, operator\) is valid until revoked\.$/)
    expect(lines[2]).toMatch(/^graft_[\w-]{43}$/)
  })

  it('should revoke a token', async () => {
    const { id, secret } = await createJson('--join')
    await graft('revoke', id)

    expect(await onStore((store) => store.findToken(secret!))).toBeNull()
    const { tokens } = JSON.parse(await graft('list', '--json')) as { tokens: Report[] }
    expect(tokens.find((token) => token.id === id)?.state).toBe('revoked')
  })

  it('should give an operator the role that is said', async () => {
    const { id } = await createJson('--operator', '--role', 'viewer')
    const { tokens } = JSON.parse(await graft('list', '--json')) as { tokens: Report[] }
    expect(tokens.find((token) => token.id === id)).toMatchObject({ role: 'viewer' })
  })

  it('should rotate a token, whose secret of before stays good for a while', async () => {
    const { id, secret } = await createJson('--join')
    const rotated = JSON.parse(await graft('rotate', id, '--json')) as Report
    for (const each of [secret!, rotated.secret!]) {
      expect(await onStore((store) => store.findToken(each))).toMatchObject({ id })
    }
    expect(rotated.secret).not.toBe(secret)
  })

  it('should print a link that can be used once', async () => {
    const link = new URL((await graft('link', '--server', 'https://graft.example')).trim())
    expect(link.host).toBe('graft.example')
    const secret = link.hash.replace('#once=', '')
    expect(await onStore((store) => store.signInLinks.use(secret))).toBe(true)
    expect(await onStore((store) => store.signInLinks.use(secret))).toBe(false)
  })

  it('should write the JSON report to a file that only its owner can read', async () => {
    const file = join(folder.path, 'token.json')
    expect(await graft('create', '--join', '--json', file)).toBe('')

    expect((JSON.parse(await readFile(file, 'utf8')) as Report).secret).toMatch(/^graft_/)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
  })

  it('should note in the audit log what was done, without the secret', async () => {
    const { id, secret } = await createJson('--join')
    await graft('revoke', id)
    const entries = await onStore((store) => store.readAudit(2))

    expect(entries.map(({ action }) => action)).toEqual(['token:revoked', 'token:created'])
    expect(entries.map(({ details }) => (details as Report).id)).toEqual([id, id])
    expect(JSON.stringify(entries)).not.toContain(secret)
  })

  it('should work in the folder that GRAFT_HOME names when --home is not given', async () => {
    const help = tokenCommand.commands[0]?.helpInformation()

    expect(help).toMatch(
      /--home <DIR> .*database, blobs.*\(default\s+graft-data\)\s+\(env\s+GRAFT_HOME\)/s,
    )
  })

  it.each([
    [['create'], 'Give one of --client NAME, --join and --operator, not 0'],
    [['create', '--join', '--operator'], 'not 2 of them'],
    [['create', '--client', 'Not A Name'], '--client "Not A Name" is not allowed'],
    [['create', '--join', '--expires', 'soon'], 'as in 90m, 12h or 30d'],
    [['revoke', '8a1f0d1e-0000-4000-8000-000000000000'], 'There is no token 8a1f0d1e'],
    [['revoke'], '--id is missing'],
    [['rotate', '8a1f0d1e-0000-4000-8000-000000000000'], 'There is no valid token'],
    [['create', '--join', '--role', 'admin'], '--role is for --operator'],
  ])('should refuse `graft token %s`', async (words, problem) => {
    const answer = graft(...words)

    await expect(answer).rejects.toThrow(problem)
    await expect(answer).rejects.toMatchObject({ code: 'GRAFT_OPTION_INVALID' })
  })

  /** Runs one command line and gives back what it printed. */
  async function graft(...words: string[]): Promise<string> {
    const printed: string[] = []
    const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      printed.push(String(text))
      return true
    })
    try {
      const program = new Command('graft').exitOverride().addCommand(tokenCommand)
      await program.parseAsync(['token', ...words, '--home', folder.path], { from: 'user' })
      return printed.join('')
    } finally {
      write.mockRestore()
    }
  }

  async function createJson(...words: string[]): Promise<Report> {
    return JSON.parse(await graft('create', ...words, '--json')) as Report
  }

  async function onStore<Result>(use: (store: Store) => Promise<Result>): Promise<Result> {
    const store = await openStore({ databaseUrl: undefined, folder: folder.path })
    try {
      return await use(store)
    } finally {
      await store.close()
    }
  }
})
