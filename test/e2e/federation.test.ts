import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { decodeSafetensors } from '../../shared/model/safetensors.ts'
import { RunReport } from '../../shared/protocol/run-report.ts'
import { createTestDatabase, postgresMissing } from '../support/database.ts'
import { runGraft, startGraft } from '../support/graft-process.ts'
import { stopBeforeRound } from '../support/stop-before-round.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'

/** Real data, small enough for a test: two rounds take seconds. */
const SMALL = [
  ['--model', 'mlp:784-32-10'],
  ['--examples-per-client', '300'],
  ['--proxy', '200'],
  ['--local-epochs', '1'],
  ['--tune-epochs', '3'],
].flat()

const noPostgres = await postgresMissing()

describe('graft simulate', () => {
  it('should give the same report and model twice, valid against the published schema', async () => {
    await using folder = await createTemporaryFolder()
    const reports: RunReport[] = []
    for (const name of ['first', 'second']) {
      const json = join(folder.path, `${name}.json`)
      const words = ['--partition', 'labels:2', '--clients', '5', '--rounds', '2', '--seed', '7']
      const place = ['--home', join(folder.path, name), '--json', json]
      const { status, stderr } = await runGraft(['simulate', ...words, ...SMALL, ...place])
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      reports.push(await validReport(json))
    }
    const [first, second] = reports.map(withoutTimes)
    expect(second).toEqual(first)
    expect(first?.rounds).toHaveLength(2)
    expect(first?.rounds[0]?.parents.map(({ client }) => client)).toEqual(
      [0, 1, 2, 3, 4].map((n) => `client-${n}`),
    )
    expect(first?.final.accuracy).toBeGreaterThan(0.3)
  })

  it('should publish files that hold the model of the report', async () => {
    await using folder = await createTemporaryFolder()
    const home = join(folder.path, 'home')
    const { stdout } = await runGraft(['simulate', ...SMALL, '--home', home, '--json'])
    const report = RunReport.parse(JSON.parse(stdout))
    const bytes = await readFile(join(home, 'models', 'round-001.safetensors'))
    const { tensors, metadata } = decodeSafetensors(bytes)
    expect(tensors.map(({ name, shape }) => [name, shape])).toEqual([
      ['fc1.kernel', [784, 32]],
      ['fc1.bias', [32]],
      ['fc2.kernel', [32, 10]],
      ['fc2.bias', [10]],
    ])
    expect(metadata).toMatchObject({ architecture: 'mlp:784-32-10', num_examples: '600' })
    expect(await sha256(bytes)).toBe(report.final.modelSha256)
  })

  it('should start from a model file and refuse a truncated one', async () => {
    await using folder = await createTemporaryFolder()
    const home = join(folder.path, 'first')
    expect((await runGraft(['simulate', ...SMALL, '--home', home])).status).toBe(0)
    const model = join(home, 'models', 'round-001.safetensors')

    const next = ['simulate', ...SMALL, '--home', join(folder.path, 'second'), '--from', model]
    expect((await runGraft(next)).status).toBe(0)

    const broken = join(folder.path, 'broken.safetensors')
    await writeFile(broken, (await readFile(model)).subarray(0, 1000))
    const refused = ['simulate', ...SMALL, '--home', join(folder.path, 'third'), '--from', broken]
    const { status, stderr } = await runGraft(refused)
    expect(status).toBe(2)
    expect(stderr).toMatch(/^graft: .*broken\.safetensors.*\(GRAFT_MODEL_FILE_INVALID\)\n$/)
  })
})

describe('graft coordinator and graft client', () => {
  it('should complete a round between three processes', async () => {
    await using folder = await createTemporaryFolder()
    await federate(['--home', folder.path], {})
  })

  it.skipIf(noPostgres !== null)('should complete the same round on PostgreSQL', async () => {
    await using folder = await createTemporaryFolder()
    await using database = await createTestDatabase()
    await federate(['--home', folder.path], { DATABASE_URL: database.url })
    const [{ count } = {}] = await database.query('SELECT count(*)::int AS count FROM model')
    expect(count).toBe(1)
  })

  it('should go on with the round after a killed coordinator, keeping the upload it had', async () => {
    await using folder = await createTemporaryFolder()
    const words = ['coordinator', '--port', '0', '--home', folder.path, ...SMALL]
    const token = { GRAFT_JOIN_TOKEN: 'a-join-token-for-this-test' }
    await using first = startGraft(words, token)
    const [, port = ''] = await first.printed(/http:\/\/127\.0\.0\.1:(\d+)/)
    const client = (shard: string) => {
      const server = ['--server', `http://127.0.0.1:${port}`, '--retry', '120']
      return startGraft(['client', ...server, '--shard', shard], {
        GRAFT_TOKEN: token.GRAFT_JOIN_TOKEN,
      })
    }
    // Both must be there for the round to begin; one of them is stopped meanwhile.
    await using late = client('1/2')
    await stopBeforeRound(first, late)
    await using early = client('0/2')
    await first.printed(/client-0: uploaded/)
    first.child.kill('SIGKILL')
    await first.finished

    words.splice(words.indexOf('0'), 1, port)
    await using second = startGraft(words, token)
    late.child.kill('SIGCONT')
    const { status, stdout } = await second.finished
    expect(status).toBe(0)
    expect(stdout).not.toContain('client-0: training')
    expect(stdout).toContain('client-1: uploaded')
    expect((await early.finished).status).toBe(0)
    expect((await late.finished).status).toBe(0)
    const report = await validReport(join(folder.path, 'report.json'))
    expect(report.rounds[0]?.uploads).toBe(2)
  })
})

// Helpers

/** A coordinator and two clients, as three terminals would run them, until all of them have ended. */
async function federate(place: string[], env: Record<string, string>): Promise<void> {
  const options = ['--clients', '2', '--partition', 'labels:2', '--port', '0', ...SMALL]
  await using coordinator = startGraft(['coordinator', ...options, ...place], env)
  const [url] = await coordinator.printed(/http:\/\/127\.0\.0\.1:\d+/)
  const [, token = ''] = await coordinator.printed(/[Jj]oin token.*: (\S+)/)
  const client = (shard: string) => {
    const data = ['--dataset', 'mnist', '--partition', 'labels:2', '--shard', shard]
    return startGraft(['client', '--server', url, '--token', token, ...data])
  }
  await using first = client('0/2')
  await using second = client('1/2')
  const ended = await Promise.all([coordinator, first, second].map(({ finished }) => finished))
  expect(ended.map(({ status, stderr }) => ({ status, stderr }))).toEqual(
    ended.map(() => ({ status: 0, stderr: '' })),
  )
}

async function validReport(file: string): Promise<RunReport> {
  const schemaFile = join(import.meta.dirname, '../../shared/protocol/run-report.schema.json')
  const schema = JSON.parse(await readFile(schemaFile, 'utf8')) as object
  const report: unknown = JSON.parse(await readFile(file, 'utf8'))
  const ajv = new Ajv2020({ strict: false })
  expect(ajv.validate(schema, report), ajv.errorsText()).toBe(true)
  return RunReport.parse(report)
}

/** What a run decides; how long it took and how much memory is not that. */
function withoutTimes(report: RunReport): RunReport {
  const seconds = { train: 0, attribute: 0, upload: 0, fuse: 0, tune: 0, evaluate: 0 }
  return {
    ...report,
    rounds: report.rounds.map((round) => ({ ...round, seconds, peakRssMb: 0 })),
    ...(report.simulation && { simulation: { ...report.simulation, peakRssMb: 0 } }),
  }
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', bytes)).toString('hex')
}
