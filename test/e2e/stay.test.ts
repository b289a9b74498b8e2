import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openStore } from '../../server/store/open-store.ts'
import { RunId } from '../../shared/ids.ts'
import { RunReport } from '../../shared/protocol/run-report.ts'
import type { RunSettings } from '../../shared/protocol/run-settings.ts'
import { startGraft } from '../support/graft-process.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'
import { TOY_SETTINGS } from '../support/toy-run.ts'

const TOKEN = 'a-join-token-for-these-tests'

/** One round of two clients, real data, over in seconds. */
const SETTINGS: RunSettings = {
  ...TOY_SETTINGS,
  ...{ dataset: 'mnist', model: 'mlp:784-16-10', partition: 'iid' },
  ...{ examplesPerClient: 200, proxy: 100 },
}

it('should lead two clients that stay through two runs that wait, one after the other', async () => {
  await using folder = await createTemporaryFolder()
  const home = folder.path
  const store = await openStore({ databaseUrl: undefined, folder: home })
  const second = { ...SETTINGS, model: 'mlp:784-8-10' }
  for (const settings of [SETTINGS, second]) {
    await store.queueRun(RunId.parse(randomUUID()), settings)
  }
  await store.close()

  const words = ['coordinator', '--stay', '--port', '0', '--home', home]
  await using coordinator = startGraft(words, { GRAFT_JOIN_TOKEN: TOKEN })
  const [url] = await coordinator.printed(/http:\/\/127\.0\.0\.1:\d+/)
  const client = (shard: string) =>
    startGraft(['client', '--stay', '--server', url, '--shard', shard], { GRAFT_TOKEN: TOKEN })
  await using first = client('0/2')
  await using other = client('1/2')
  await coordinator.printed(/Run 2 is over\./)
  await first.printed(/finished after 1 round\n[^]*joined as client-0: mlp:784-8-10[^]*finished/)
  coordinator.child.kill('SIGINT')
  expect((await coordinator.finished).status).toBe(130)
  for (const { child, finished } of [first, other]) {
    child.kill('SIGINT')
    expect((await finished).status).toBe(130)
  }

  const again = await openStore({ databaseUrl: undefined, folder: home })
  expect((await again.listRuns()).map(({ status }) => status)).toEqual(['finished', 'finished'])
  await again.close()
  const report = await readFile(join(home, 'runs', '2', 'report.json'), 'utf8')
  expect(RunReport.parse(JSON.parse(report)).settings).toEqual(second)
})
