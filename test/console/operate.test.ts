import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NO_BROWSER, startBrowser } from '../support/browser.ts'
import { type ConsoleOptions, startConsoleServer } from '../support/console-server.ts'
import { openPage } from './open-page.ts'
import { whole } from './pages.ts'

const FIVE = { clients: 5, rounds: 12 } as const

describe.skipIf(NO_BROWSER !== null)(`the console in a browser ${NO_BROWSER ?? ''}`, () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await startBrowser()
  })

  afterAll(async () => {
    await browser.close()
  })

  describe('sign-in', () => {
    it('should take a token by the keyboard and lead to where the visitor wanted to go', async () => {
      await using open = await openConsole({ ...FIVE, isSignedIn: false }, '/clients?show=away')
      const { page } = open
      const field = page.getByLabel('Operator token')
      await field.waitFor()
      await page.waitForURL(/\/sign-in/)
      await field.fill('wrong')
      await page.keyboard.press('Enter')
      await page.getByRole('alert').getByText('not one of an operator').waitFor()
      await field.fill('right')
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { level: 1, name: 'Clients' }).waitFor()
      await page.waitForURL(/\/clients\?show=away$/)
    })

    it('should take a one-time link out of the address and sign in with it', async () => {
      await using open = await openConsole(
        { ...FIVE, isSignedIn: false },
        '/sign-in#once=a-secret-of-one-time',
      )
      await open.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
      expect(open.page.url()).not.toContain('secret')
    })

    it('should go nowhere else than to this site', async () => {
      await using open = await openConsole(
        { ...FIVE, isSignedIn: false },
        '/sign-in?next=//elsewhere.example/',
      )
      await open.page.getByLabel('Operator token').fill('right')
      await open.page.keyboard.press('Enter')
      await open.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
    })
  })

  describe('an action', () => {
    it('should be asked for once more, by the keyboard, and be told with its record', async () => {
      await using open = await openConsole(FIVE, '/clients/clinic-delft')
      const { page, server } = open
      const ban = page.getByRole('button', { name: 'Ban' })
      await ban.focus()
      await page.keyboard.press('Enter')
      const dialog = page.getByRole('alertdialog', { name: 'Ban clinic-delft?' })
      await dialog.waitFor()
      // The focus stays inside, whichever way one goes.
      for (let i = 0; i < 6; i++) {
        await page.keyboard.press(i % 2 === 0 ? 'Tab' : 'Shift+Tab')
        await expect.poll(() => dialog.locator(':focus').count()).toBe(1)
      }
      await page.keyboard.press('Escape')
      await dialog.waitFor({ state: 'detached' })
      expect(server.wishes).toEqual([])
      await expect.poll(() => focused(page)).toBe('Ban')

      await page.keyboard.press('Enter')
      await page.getByLabel('Reason').fill('Sends what it should not.')
      await page.keyboard.press('Enter')
      await page.getByText('Banned clinic-delft', { exact: true }).waitFor()
      await page.getByText('Sends what it should not.').waitFor()
      expect(server.wishes).toMatchObject([
        {
          path: '/clients/clinic-delft/actions',
          body: { action: 'ban', reason: 'Sends what it should not.' },
        },
      ])
      await page.getByRole('link', { name: 'Recorded in the audit log' }).click()
      await page
        .getByRole('row', { name: /operator:mara client:banned/ })
        .first()
        .waitFor()
    })

    it('should say to a viewer why it is not for them', async () => {
      await using open = await openConsole({ ...FIVE, role: 'viewer' }, '/')
      const pause = open.page.getByRole('button', { name: 'Pause' })
      await pause.focus()
      await open.page.getByRole('tooltip', { name: /takes the role operator/ }).waitFor()
      await open.page.keyboard.press('Enter')
      await expect.poll(() => open.page.getByRole('alertdialog').count()).toBe(0)
      expect(open.server.wishes).toEqual([])
    })

    it('should show a secret once', async () => {
      await using open = await openConsole(FIVE, '/tokens')
      const { page } = open
      await page.getByRole('button', { name: 'Issue a token' }).click()
      await page.getByLabel('For').selectOption('operator')
      await page.getByLabel('Role').selectOption('operator')
      await page.getByRole('textbox', { name: 'Label', exact: true }).fill('night shift')
      await page.getByRole('button', { name: 'Issue', exact: true }).click()
      await page.getByText('graft_op_7Kq2').waitFor()
      await page.getByRole('button', { name: 'I have it' }).click()
      await expect.poll(() => page.getByText('graft_op_7Kq2').count()).toBe(0)
      await page.getByRole('row', { name: /night shift operator, operator/ }).waitFor()
      expect(open.server.wishes[0]!.body).toMatchObject({ kind: 'operator', role: 'operator' })
    })
  })

  it('should show the problem of an option beside its field, and create the run without it', async () => {
    await using open = await openConsole(FIVE, '/runs/new')
    const { page, server } = open
    await page.getByLabel('Clients', { exact: true }).fill('20000')
    await page.getByText('graft coordinator --clients 20000').waitFor()
    await page.getByRole('button', { name: 'Create run' }).click()
    const field = page.getByLabel('Clients', { exact: true })
    await page.getByText(/^--clients "20000" is not allowed/).waitFor()
    await expect.poll(() => field.getAttribute('aria-invalid')).toBe('true')
    await field.fill('3')
    await page.getByRole('button', { name: 'Create run' }).click()
    await page.getByRole('heading', { level: 1, name: 'Run 5' }).waitFor()
    const [first, second] = server.wishes.map(({ body }) => body as { requestId: string })
    expect(second).toMatchObject({ options: { clients: '3' } })
    expect(second!.requestId).not.toBe(first!.requestId)
  })

  describe('the picture of a fusion', () => {
    it('should open a level and tell of its neurons by the keyboard', async () => {
      await using open = await openConsole(FIVE, fusionPath)
      const { page } = open
      await page.getByRole('button', { name: /^dense 256 neurons/ }).focus()
      await page.keyboard.press('Enter')
      const neurons = page.getByRole('listbox', { name: /Neurons of dense;/ })
      await neurons.focus()
      const option = neurons.getByRole('option')
      const first = await option.textContent()
      expect(first).toMatch(/^Neuron \d+: clinic-basel neuron \d+ \d+\u202f%, score/)
      await page.keyboard.press('ArrowDown')
      await expect.poll(() => option.textContent()).not.toBe(first)
      await page.keyboard.press('End')
      await expect.poll(() => option.getAttribute('aria-posinset')).toBe('256')
      // The picture can be sent to somebody: what is opened is in its address.
      await page.waitForURL(/level=dense/)
      await page.keyboard.press('Escape')
      await neurons.waitFor({ state: 'detached' })
    })

    it('should go through its legend by the arrow keys and keep a client lit', async () => {
      await using open = await openConsole(FIVE, fusionPath)
      const { page } = open
      const people = page.getByRole('list', { name: /Clients whose neurons/ }).getByRole('button')
      await people.first().focus()
      await page.keyboard.press('ArrowDown')
      await page.keyboard.press('Enter')
      // The address changes first, and the page is drawn after it.
      await page.waitForURL(/client=clinic-/)
      await expect.poll(() => people.nth(1).getAttribute('aria-pressed')).toBe('true')
    })

    it('should find one client among two hundred', async () => {
      await using open = await openConsole({ clients: 200, rounds: 2 }, fusionPath)
      const { page } = open
      await page.getByLabel('Find a client').fill('nice-20')
      await page.getByRole('button', { name: /^nice-20/ }).waitFor()
      await page.getByRole('button', { name: /^192 others/ }).waitFor()
    })
  })

  describe('the live feed', () => {
    it('should move lanes without a reload', async () => {
      await using open = await openConsole(FIVE, liveRoundPath)
      const lane = open.page.getByRole('meter', { name: 'Way of clinic-espoo through the round' })
      const before = Number(await lane.getAttribute('aria-valuenow'))
      const isFurther = async () => {
        open.server.move()
        return Number(await lane.getAttribute('aria-valuenow')) > before
      }
      await expect.poll(isFurther).toBe(true)
    })

    it('should say that it was cut off, and go on by itself', async () => {
      await using open = await openConsole(FIVE, '/')
      const { page, server } = open
      server.cut()
      open.expectComplaints()
      await page.getByText('Reconnecting', { exact: true }).waitFor()
      await page.getByText('The coordinator does not answer.').waitFor()
      server.resume()
      await page.getByText('Live', { exact: true }).waitFor()
      await expect.poll(() => page.getByText('The coordinator does not answer.').count()).toBe(0)
    })

    it('should draw only the lanes that are seen of two hundred', async () => {
      await using open = await openConsole({ clients: 200, rounds: 2 }, liveRoundPath)
      const lanes = open.page.getByRole('meter', { name: /^Way of / })
      await lanes.first().waitFor()
      await expect.poll(() => lanes.count()).toBeLessThan(40)
      await open.page.getByLabel('Client', { exact: true }).fill('nice-2')
      await open.page.getByRole('link', { name: 'nice-20' }).waitFor()
      await open.page.waitForURL(/q=nice-2/)
    })
  })

  it('should mark two models as quickly as they are chosen', async () => {
    await using open = await openConsole(FIVE, '/models')
    const { page } = open
    await page.getByRole('checkbox').nth(1).waitFor()
    const marks = await page.evaluate<boolean[][]>(`(() => {
      const boxes = [...document.querySelectorAll('input[type=checkbox]')].slice(0, 2)
      return boxes.map((box) => {
        box.click()
        return boxes.map(({ checked }) => checked)
      })
    })()`)
    expect(marks).toEqual([
      [true, false],
      [true, true],
    ])
    await page.getByRole('region', { name: / beside / }).waitFor()
  })

  it('should say why a run has failed, and what to do', async () => {
    const failed = ({ world }: Server) => world.runs.find(({ status }) => status === 'failed')!
    await using open = await openConsole(FIVE, (server) => `/runs/${failed(server).id}`)
    const alert = open.page.getByRole('alert')
    await alert.getByText('None of 10 rounds published a model.').waitFor()
    await alert.getByText(failed(open.server).failure!.remedy).waitFor()
    await alert.getByText('GRAFT_RUN_FAILED').waitFor()
  })

  it('should lead past the navigation, and to the heading of each page', async () => {
    await using open = await openConsole(FIVE, '/')
    const { page } = open
    await page.keyboard.press('Tab')
    await expect.poll(() => focused(page)).toBe('Skip to the page')
    await page.getByRole('link', { name: 'Models' }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Models' }).waitFor()
    await expect.poll(() => focused(page)).toBe('Models')
  })

  it('should keep the appearance that was chosen', async () => {
    await using open = await openConsole(FIVE, '/settings')
    const { page } = open
    await page.getByRole('radio', { name: 'Dark' }).click()
    await page.reload()
    await whole(page)
    await expect.poll(() => page.evaluate('document.documentElement.dataset.theme')).toBe('dark')
  })

  // Helpers

  type Server = Awaited<ReturnType<typeof startConsoleServer>>
  type Path = string | ((server: Server) => string)

  async function openConsole(options: ConsoleOptions, path: Path) {
    const server = await startConsoleServer(options)
    const open = await openPage(
      browser,
      server.url + (typeof path === 'string' ? path : path(server)),
    )
    if (options.isSignedIn !== false) await whole(open.page)
    let areExpected = false
    return {
      server,
      page: open.page,
      /** The browser tells of each connection that it could not make. */
      expectComplaints: () => {
        areExpected = true
      },
      [Symbol.asyncDispose]: async () => {
        if (!areExpected) expect(open.complaints).toEqual([])
        await open[Symbol.asyncDispose]()
        await server[Symbol.asyncDispose]()
      },
    }
  }

  const fusionPath: Path = ({ world: { run } }) => `/runs/${run.id}/rounds/${run.rounds}/fusion`
  const liveRoundPath: Path = ({ world: { run } }) => `/runs/${run.id}/rounds/${run.rounds + 1}`
  const focused = (page: Page) => page.evaluate<string>('document.activeElement.textContent')
})
