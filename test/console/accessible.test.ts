import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NO_BROWSER, startBrowser } from '../support/browser.ts'
import { type ConsoleServer, startConsoleServer } from '../support/console-server.ts'
import { openPage, overflowing, violations } from './open-page.ts'
import { PAGES_OF_THE_CONSOLE, whole } from './pages.ts'

const NAMES = Object.keys(PAGES_OF_THE_CONSOLE) as (keyof typeof PAGES_OF_THE_CONSOLE)[]

describe.skipIf(NO_BROWSER !== null)(`every page of the console ${NO_BROWSER ?? ''}`, () => {
  let browser: Browser
  const servers = new Map<number, ConsoleServer>()

  beforeAll(async () => {
    browser = await startBrowser()
    for (const [clients, rounds] of [
      [0, 0],
      [5, 12],
      [200, 500],
    ] as const)
      servers.set(clients, await startConsoleServer({ clients, rounds }))
  })

  afterAll(async () => {
    await browser.close()
    for (const server of servers.values()) await server[Symbol.asyncDispose]()
  })

  describe.each(['light', 'dark'] as const)('%s', (colorScheme) => {
    it.each(NAMES)('should be whole and accessible: %s of 5 clients', async (name) => {
      await check({ clients: 5, name, colorScheme })
    })
  })

  it.each(NAMES.filter((name) => !('needsClients' in PAGES_OF_THE_CONSOLE[name])))(
    'should be whole and accessible: %s without clients',
    async (name) => {
      await check({ clients: 0, name, colorScheme: 'light' })
    },
  )

  it.each(['overview', 'round-live', 'fusion-neurons'] as const)(
    'should be whole and accessible: %s of 200 clients and 500 rounds',
    async (name) => {
      await check({ clients: 200, name, colorScheme: 'dark' })
    },
  )

  it.each(NAMES)('should fit on a phone: %s', async (name) => {
    const server = servers.get(5)!
    const path = PAGES_OF_THE_CONSOLE[name].path(server.world)
    await using open = await openPage(browser, server.url + path, { width: 390 })
    await whole(open.page)
    expect(await overflowing(open.page)).toEqual([])
  })

  describe.each(['light', 'dark'] as const)('what opens above a page, %s', (colorScheme) => {
    it.each([
      ['a question', '/', 'Pause', 'alertdialog'],
      ['a question that takes a reason', '/clients/clinic-cadiz', 'Ban', 'alertdialog'],
      ['a form', '/tokens', 'Issue a token', 'dialog'],
    ] as const)('should be accessible: %s', async (_what, path, button, role) => {
      await using open = await openPage(browser, servers.get(5)!.url + path, { colorScheme })
      await open.page.getByRole('button', { name: button, exact: true }).click()
      await open.page.getByRole(role).waitFor()
      expect(await violations(open.page)).toEqual([])
      await open.page.keyboard.press('Escape')
      await open.page.getByRole(role).waitFor({ state: 'detached' })
    })

    it('should be accessible: the menu of a phone', async () => {
      const view = { colorScheme, width: 390 }
      await using open = await openPage(browser, servers.get(5)!.url, view)
      await open.page.getByRole('button', { name: 'Menu' }).click()
      await open.page.getByRole('dialog').getByRole('link', { name: 'Clients' }).waitFor()
      expect(await violations(open.page)).toEqual([])
    })
  })

  it('should be whole and accessible for a viewer, who may change nothing', async () => {
    await using server = await startConsoleServer({ clients: 5, rounds: 3, role: 'viewer' })
    for (const name of ['overview', 'run', 'new-run', 'client', 'models', 'tokens'] as const) {
      const path = PAGES_OF_THE_CONSOLE[name].path(server.world)
      await using open = await openPage(browser, server.url + path)
      await whole(open.page)
      expect(await violations(open.page), name).toEqual([])
      expect(open.complaints, name).toEqual([])
    }
  })

  it('should be accessible before anybody is signed in', async () => {
    await using server = await startConsoleServer({ clients: 5, rounds: 1, isSignedIn: false })
    for (const colorScheme of ['light', 'dark'] as const) {
      await using open = await openPage(browser, `${server.url}/sign-in`, { colorScheme })
      await open.page.getByRole('button', { name: 'Sign in' }).waitFor()
      expect(await violations(open.page)).toEqual([])
    }
  })

  // Helpers

  interface Check {
    readonly clients: number
    readonly name: keyof typeof PAGES_OF_THE_CONSOLE
    readonly colorScheme: 'light' | 'dark'
  }

  async function check({ clients, name, colorScheme }: Check): Promise<void> {
    const server = servers.get(clients)!
    const path = PAGES_OF_THE_CONSOLE[name].path(server.world)
    await using open = await openPage(browser, server.url + path, { colorScheme })
    await whole(open.page)
    expect(await violations(open.page)).toEqual([])
    expect(open.complaints).toEqual([])
  }
})
