import { readFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { unzipSync } from 'fflate'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { readLayersModel } from '../../shared/model-files/layers-model-folder.ts'
import { decodeSafetensors } from '../../shared/model/safetensors.ts'
import { readWeights } from '../../shared/model/weights.ts'
import { type OpenPage, openPage, overflowing, violations } from '../console/open-page.ts'
import { whole } from '../console/pages.ts'
import { NO_BROWSER, startBrowser } from '../support/browser.ts'
import { createTestDatabase, postgresMissing, type TestDatabase } from '../support/database.ts'
import { startTestEngine } from '../support/engine.ts'
import { type Running, startGraft } from '../support/graft-process.ts'

/** Where pictures of what the story sees are kept; nowhere when not given. */
const PICTURES = process.env['E2E_SCREENSHOTS']

const missing = NO_BROWSER ?? (await postgresMissing())

/**
 * One story, told step by step: each goes on where the one before ended. Clients wait for each other and for the
 * operator, so that nothing depends on how fast a machine is.
 */
describe.skipIf(missing !== null)(`an operator in the console ${missing ?? ''}`, () => {
  let home: string
  let database: TestDatabase
  let browser: Browser
  let coordinator: Running
  let url: string
  let joinToken: string
  let open: OpenPage
  let page: Page
  let hasFailed = false
  const clients: Running[] = []

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'graft-console-'))
    await startTestEngine()
    browser = await startBrowser()
    database = await createTestDatabase()
    coordinator = startGraft([
      ...['coordinator', '--stay', '--port', '0', '--home', join(home, 'coordinator')],
      ...['--database', database.url],
    ])
    ;[, url] = (await coordinator.printed(/Listening on (http:\S+)\./)) as unknown as [
      string,
      string,
    ]
    const [, token] = await coordinator.printed(/Join token, shown once: (graft_[\w-]{43})/)
    joinToken = token!
    for (let i = 0; i < 4; i++) clients.push(startClient(i))
  })

  afterAll(async () => {
    await open[Symbol.asyncDispose]()
    await browser.close()
    for (const each of [...clients, coordinator]) await each[Symbol.asyncDispose]()
    await database[Symbol.asyncDispose]()
    await rm(home, { recursive: true, force: true })
  })

  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail' || hasFailed) return
    hasFailed = true
    console.error(`${page.url()}\n${await page.locator('body').ariaSnapshot()}`)
  })

  /** A step of the story; none where the one before did not come to its end. */
  const step = (name: string, tell: () => Promise<void>) =>
    it(name, async ({ skip }) => {
      if (hasFailed) skip('the story broke off before')
      await tell()
      expect(open.complaints).toEqual([])
    })

  step('should sign in by the one-time link that the coordinator prints', async () => {
    const [link] = await coordinator.printed(/http:\S+\/sign-in#once=graft_[\w-]{43}/)
    open = await openPage(browser, link)
    page = open.page
    // Many processes start at once, perhaps on few cores.
    page.setDefaultTimeout(180_000)
    await heading('Overview')
    await whole(page)
    expect(page.url()).not.toContain('graft_')
    await page.getByText('There has been no run yet').waitFor()
    await page.getByText('No run is going on', { exact: true }).waitFor()
    await picture('first-start')
  })

  step('should see its clients come', async () => {
    await go('Clients')
    for (let i = 0; i < 4; i++) await row('Clients', `client-${i}`).getByText('ready').waitFor()
  })

  step('should create a run in the form, which is judged as the command line is', async () => {
    await go('Runs')
    await page.getByRole('link', { name: 'New run' }).click()
    const fields = {
      ...{ Model: 'mlp:784-32-10', Partition: 'labels:5', Clients: '5', Rounds: '0', Quorum: '3' },
      ...{ Deadline: '3600', 'Examples per client': '200', Proxy: '200', 'Tune epochs': '3' },
      ...{ 'Local epochs': '8' },
    }
    for (const [name, value] of Object.entries(fields))
      await page.getByLabel(name, { exact: true }).fill(value)
    await page.getByLabel('Publish', { exact: true }).selectOption('always')
    await page.getByRole('button', { name: 'Create run' }).click()
    await page.getByText(/^--rounds "?0"? is not allowed/).waitFor()
    await page.getByLabel('Rounds', { exact: true }).fill('4')
    await page.getByText(/^graft coordinator .*--rounds 4 .*--quorum 3 /).waitFor()
    await page.getByRole('button', { name: 'Create run' }).click()
    await heading('Run 1')
    await page.getByText('running', { exact: true }).waitFor()
  })

  step('should watch a round from invitation to publication without reloading', async () => {
    // The round ends; the next one waits for the operator.
    await act('Pause', 'Paused run 1')
    await page.getByRole('banner').getByRole('link', { name: 'Round 1' }).click()
    await heading('Round 1')
    await page.evaluate('window.isSamePage = true')
    for (let i = 0; i < 4; i++) await lane(i).getByText('ready', { exact: true }).waitFor()
    const seen = await watchLanes()
    clients.push(startClient(4))
    await page.getByText('A new model was published.').waitFor()
    await page.getByText('5 of 5', { exact: true }).waitFor()
    await expect.poll(() => page.getByText(/^\d+\.\d\d\s?%$/).count()).toBeGreaterThan(0)
    await expect.poll(() => seen()).toEqual(expect.arrayContaining(['training', 'accepted']))
    expect(await page.evaluate('window.isSamePage')).toBe(true)
    await picture('round')
    await go('Overview')
    await page.getByText('Paused', { exact: true }).waitFor()
  })

  step('should see a client that is killed as away', async () => {
    // It hears nothing any more, but its connection stands: it is invited, and holds the round up.
    clients[4]!.child.kill('SIGSTOP')
    await act('Resume', 'Resumed run 1')
    await page.getByRole('banner').getByRole('link', { name: 'Round 2' }).click()
    await heading('Round 2')
    for (let i = 0; i < 4; i++) await lane(i).getByText('accepted', { exact: true }).waitFor()
    await page.getByText('quorum of 3 reached').waitFor()
    await picture('round-live')
    clients[4]!.child.kill('SIGKILL')
    await lane(4).getByText('away', { exact: true }).waitFor()
    // Nobody knows when it comes back.
    await page.getByText(/^unknown/).waitFor()
  })

  step('should end the round, which goes on with what is there', async () => {
    await go('Overview')
    await picture('overview-live')
    await act('End round now', 'Ended round 2')
    await go('Runs')
    await page.getByRole('link', { name: 'Run 1', exact: true }).click()
    await page.getByRole('table', { name: 'Rounds' }).getByText('4 of 5').waitFor()
    await page.getByText('waiting for clients', { exact: true }).waitFor()
  })

  step('should ban a client, which is told why and ends', async () => {
    await go('Clients')
    await page.getByRole('link', { name: 'client-3' }).click()
    await act('Ban', 'Banned client-3', 'Its labels are upside down.')
    await page.getByText(/^Banned by .*: Its labels are upside down/).waitFor()
    const { status, stderr } = await clients[3]!.finished
    expect(status).not.toBe(0)
    expect(stderr).toContain('GRAFT_CLIENT_BANNED')
    expect(stderr).toContain('Its labels are upside down.')
    const again = startClient(3)
    clients.push(again)
    expect((await again.finished).stderr).toContain('GRAFT_CLIENT_BANNED')
    await go('Clients')
    await row('Clients', 'client-3').getByText('banned').waitFor()
    await picture('clients')
  })

  step('should open the fusion picture of a round and see whose neurons make it', async () => {
    await go('Runs')
    await page.getByRole('link', { name: 'Run 1', exact: true }).click()
    await page.getByRole('link', { name: 'picture of the fusion of round 2' }).click()
    await heading('Fusion of round 2')
    await page.getByText(/^32 neurons of 4 clients/).waitFor()
    const people = page.getByRole('list', { name: /Clients whose neurons/ }).getByRole('button')
    const names = (await people.allTextContents()).map((text) => /client-\d/.exec(text)?.[0])
    expect(new Set(names)).toEqual(new Set(['client-0', 'client-1', 'client-2', 'client-3']))
    await page.getByRole('button', { name: /32 neurons/ }).click()
    await page.getByRole('listbox', { name: /^Neurons of / }).waitFor()
    await picture('fusion')
  })

  step('should roll back to an earlier model', async () => {
    await go('Models')
    const first = row('Models', 'round 1')
    await act('Roll back', 'Rolled back to round 1', undefined, first)
    await first.getByText('in use').waitFor()
    await expect.poll(() => page.getByText('in use', { exact: true }).count()).toBe(1)
    await picture('models')
  })

  step('should compare two models, tensor by tensor', async () => {
    for (const round of ['round 1', 'round 2'])
      await row('Models', round).getByRole('checkbox').check()
    const compared = page.getByRole('region', { name: 'Round 1 beside round 2' })
    await compared.getByRole('row', { name: /^Accuracy \d.* [+−]\d+\.\d\s?pt$/ }).waitFor()
    const tensors = compared.getByRole('list', { name: /^Distance/ }).getByRole('listitem')
    await expect
      .poll(() => tensors.allTextContents())
      .toEqual([
        expect.stringMatching(/^fc1.*\d\.\d{3}/),
        expect.stringMatching(/^fc1.*\d\.\d{3}/),
        expect.stringMatching(/^fc2.*\d\.\d{3}/),
        expect.stringMatching(/^fc2.*\d\.\d{3}/),
      ])
    await picture('models-compared')
  })

  step('should download the model in both formats, each of which can be loaded', async () => {
    const first = row('Models', 'round 1')
    const bytes = await downloaded(first.getByRole('link', { name: /^safetensors/ }))
    const { tensors } = decodeSafetensors(bytes)
    const shapes = [[784, 32], [32], [32, 10], [10]]
    expect(tensors.map(({ shape }) => shape)).toEqual(shapes)
    const files = unzipSync(await downloaded(first.getByRole('link', { name: /^tf\.js/ })))
    const folder = join(home, 'layers-model')
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true })
      await writeFile(join(folder, name), content)
    }
    const model = await readLayersModel(folder)
    try {
      const weights = await readWeights(model)
      expect(weights.map(({ data }) => data)).toEqual(tensors.map(({ data }) => data))
    } finally {
      model.dispose()
    }
  })

  step('should finish the run with those that are left', async () => {
    await go('Overview')
    await act('End round now', 'Ended round 3')
    await page.getByRole('banner').getByRole('link', { name: 'Round 4' }).waitFor()
    await page.getByText('waiting for clients', { exact: true }).waitFor()
    await act('End round now', 'Ended round 4')
    await page.getByRole('button', { name: 'Run again' }).waitFor()
    await picture('overview')
    await go('Runs')
    await row('Runs', 'Run 1').getByText('finished').waitFor()
  })

  step(
    'should issue a token to a client, and see the client leave when it is revoked',
    async () => {
      await go('Tokens')
      await page.getByRole('button', { name: 'Issue a token' }).click()
      await page.getByLabel('For', { exact: true }).selectOption('one client')
      await page.getByLabel('Client', { exact: true }).fill('clinic-oslo')
      await page.getByLabel('Label', { exact: true }).fill('oslo')
      await page.getByRole('button', { name: 'Issue', exact: true }).click()
      const secret = await page
        .getByRole('region', { name: /^Secret of/ })
        .locator('code')
        .textContent()
      await page.getByRole('button', { name: 'I have it' }).click()
      const oslo = startGraft([
        ...[
          'client',
          '--stay',
          '--server',
          url,
          '--token',
          secret!,
          '--shard',
          '3/5',
          '--name',
          'clinic-oslo',
        ],
      ])
      clients.push(oslo)
      await go('Clients')
      await row('Clients', 'clinic-oslo').getByText('ready').waitFor()
      await go('Tokens')
      await act('Revoke', 'Revoked “oslo”', undefined, row('Tokens', 'oslo'))
      await row('Tokens', 'oslo').getByText('revoked').waitFor()
      expect((await oslo.finished).stderr).toContain('GRAFT_TOKEN_INVALID')
      await go('Clients')
      await row('Clients', 'clinic-oslo').getByText('away').waitFor()
    },
  )

  step('should find everything in the audit log', async () => {
    await go('Audit')
    const log = page.getByRole('table', { name: 'Audit log' })
    await log.getByText('client:banned', { exact: true }).first().waitFor()
    await picture('audit')
  })

  step('should fit a phone, and be readable to everybody', async () => {
    for (const name of ['Overview', 'Runs', 'Clients', 'Models', 'Tokens', 'Audit', 'Settings']) {
      await go(name)
      await whole(page)
      expect(await violations(page), name).toEqual([])
      await page.setViewportSize({ width: 390, height: 844 })
      // Charts are drawn anew for their new width.
      await expect.poll(() => overflowing(page), { message: name, timeout: 5000 }).toEqual([])
      await page.setViewportSize({ width: 1280, height: 900 })
    }
  })

  step('should sign out and be asked to sign in', async () => {
    await go('Settings')
    await page.getByRole('button', { name: 'Sign out' }).click()
    await heading('Sign in to Graft')
    await page.goto(`${url}/models`)
    await heading('Sign in to Graft')
    await page.waitForURL(/\/sign-in\?next=%2Fmodels$/)
  })

  // Helpers

  function startClient(i: number): Running {
    const words = ['client', '--stay', '--server', url, '--token', joinToken]
    return startGraft([...words, '--shard', `${i}/5`])
  }

  const heading = (name: string) =>
    page.getByRole('heading', { level: 1, name, exact: true }).waitFor()

  async function go(name: string): Promise<void> {
    await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name }).click()
    await heading(name)
  }

  const row = (table: string, name: string) =>
    page.getByRole('table', { name: table, exact: true }).getByRole('row').filter({ hasText: name })

  const lane = (i: number) =>
    page
      .getByRole('list', { name: 'Clients of the round' })
      .getByRole('listitem')
      .filter({ hasText: `client-${i}` })

  /** Asks for an action, confirms it, and reads that it was done. */
  async function act(
    action: string,
    done: string,
    reason?: string,
    where: Pick<Page, 'getByRole'> = page,
  ): Promise<void> {
    await where.getByRole('button', { name: action, exact: true }).click()
    const dialog = page.getByRole('alertdialog')
    if (reason !== undefined) await dialog.getByLabel('Reason').fill(reason)
    await dialog.getByRole('button', { name: action, exact: true }).click()
    const told = page.getByText(done, { exact: true })
    const refusal = dialog.getByRole('alert')
    await told.or(refusal).first().waitFor()
    expect(await refusal.allInnerTexts()).toEqual([])
    await dialog.waitFor({ state: 'detached' })
    await told.waitFor()
  }

  /** Collects every state that a lane is shown in from now on. */
  async function watchLanes(): Promise<() => Promise<string[]>> {
    await page.evaluate(`(() => {
      window.seenStates = new Set()
      new MutationObserver(() => {
        for (const e of document.querySelectorAll('[aria-label="Clients of the round"] .badge'))
          window.seenStates.add(e.textContent)
      }).observe(document.body, { subtree: true, childList: true, characterData: true })
    })()`)
    return () => page.evaluate('[...window.seenStates]')
  }

  async function downloaded(link: ReturnType<Page['getByRole']>): Promise<Uint8Array> {
    const [download] = await Promise.all([page.waitForEvent('download'), link.click()])
    return readFile(await download.path())
  }

  /** What is seen now, at two widths, for people to look at. */
  async function picture(name: string): Promise<void> {
    if (PICTURES === undefined) return
    await whole(page)
    for (const passing of await page.getByRole('button', { name: 'Dismiss' }).all())
      await passing.click()
    for (const width of [390, 1280]) {
      await page.setViewportSize({ width, height: 900 })
      await page.screenshot({ path: join(PICTURES, `${name}-${width}.png`), fullPage: true })
    }
  }
})
