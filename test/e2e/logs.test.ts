import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { startGraft } from '../support/graft-process.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'

const RUN = [
  ['--model', 'mlp:784-16-10', '--clients', '2', '--rounds', '1'],
  ['--examples-per-client', '200', '--proxy', '200', '--publish', 'always'],
  ['--local-epochs', '1', '--tune-epochs', '2', '--controls', 'last'],
].flat()
const TOKEN = 'a-join-token-for-these-tests'

describe('graft coordinator --log, graft client --log', () => {
  it('should let an update be followed by its ids from the invitation of its client to the model', async () => {
    await using folder = await createTemporaryFolder()
    const fileOf = (who: string) => join(folder.path, 'logs', `${who}.jsonl`)
    const port = String(await freePort())
    const home = join(folder.path, 'home')
    await using coordinator = startGraft(
      ['coordinator', '--port', port, '--home', home, '--log', fileOf('coordinator'), ...RUN],
      { GRAFT_JOIN_TOKEN: TOKEN },
    )
    await coordinator.printed(/Listening on/)
    const clientWords = (shard: string) =>
      ['client', '--server', `http://127.0.0.1:${port}`, '--shard', shard] as const
    await using first = startGraft([...clientWords('0/2'), '--log', fileOf('first')], {
      GRAFT_TOKEN: TOKEN,
    })
    // This one's log has stdout for itself, by the environment.
    await using second = startGraft(clientWords('1/2'), { GRAFT_TOKEN: TOKEN, GRAFT_LOG: '-' })
    const ends = [await coordinator.finished, await first.finished, await second.finished]
    expect(ends.map(({ status }) => status)).toEqual([0, 0, 0])
    const texts = {
      coordinator: await readFile(fileOf('coordinator'), 'utf8'),
      first: await readFile(fileOf('first'), 'utf8'),
      second: ends[2]!.stdout,
    }
    expect(ends[2]!.stderr).toContain('joined as client-1')
    const theirs = linesOf(texts.first)
    const ours = linesOf(texts.coordinator)

    // One grep for the round finds its way through both logs.
    const begun = theirs.find(({ event }) => event === 'update:begin')!
    const { run, update, connection } = begun
    const wanted = `"run":"${String(run)}","round":1,`
    const found = (text: string) =>
      linesOf(
        text
          .split('\n')
          .filter((line) => line.includes(wanted))
          .join('\n'),
      )
    const onItsWay = (lines: Line[]) => lines.filter((line) => line.update === update)
    expect(onItsWay(found(texts.first)).map(({ event }) => event)).toEqual([
      'update:begin',
      'update:accepted',
    ])
    expect(onItsWay(found(texts.coordinator)).map(({ event }) => event)).toEqual([
      'update:begin',
      'journal:update-received',
      'update:commit',
    ])

    // The connection has one name on both sides, and so has the model that it was trained from.
    const invited = ours.filter(({ event }) => event === 'round:invited')
    const own = invited.find(({ client }) => client === 'client-0')!
    expect(own).toMatchObject({ run, round: 1, connection })
    expect(theirs.find(({ event }) => event === 'round:invited')).toMatchObject({
      model: own.model,
      connection,
    })

    // From the update to the model that people take home.
    const fused = ours.find(({ event }) => event === 'journal:model-fused')!
    expect(fused.updates).toMatchObject({ 'client-0': update })
    const published = ours.find(({ event }) => event === 'round:published')!
    const file = join(home, 'models', 'round-001.safetensors')
    const hash = createHash('sha256')
      .update(await readFile(file))
      .digest('hex')
    expect(published).toMatchObject({ run, round: 1, model: hash })
    expect(theirs.find(({ event }) => event === 'round:published')).toMatchObject({ model: hash })
    expect([fused.model, hash]).toContain(
      ours.find(({ event }) => event === 'journal:model-tuned')!.model,
    )

    const [head] = ours
    expect(head).toMatchObject({ level: 'info', role: 'coordinator', event: 'coordinator:leads' })
    expect(ours.at(-1)).toMatchObject({ event: 'coordinator:ended' })
    expect(Object.values(texts).join('')).not.toContain(TOKEN)
    for (const line of [...ours, ...theirs, ...linesOf(texts.second)]) {
      expect(Number.isNaN(Date.parse(line.time))).toBe(false)
      expect(JSON.stringify(line).length).toBeLessThan(1000)
    }
  })
})

// Helpers

interface Line extends Readonly<Record<string, unknown>> {
  readonly time: string
  readonly event: string
}

const linesOf = (text: string): Line[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)
