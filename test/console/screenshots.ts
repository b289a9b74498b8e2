import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Browser } from 'playwright-core'
import { startBrowser } from '../support/browser.ts'
import { type ConsoleServer, startConsoleServer } from '../support/console-server.ts'
import { PAGES_OF_THE_CONSOLE, whole } from './pages.ts'

const USAGE = `Pictures of every page of the console, of made-up numbers.

  npm run screenshots -- [--out DIR] [--page NAME] [--clients 0,5,200] [--widths 390,1280,1920] [--themes light,dark]`

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: 'screenshots' },
    page: { type: 'string' },
    clients: { type: 'string', default: '0,5,200' },
    widths: { type: 'string', default: '390,1280,1920' },
    themes: { type: 'string', default: 'light,dark' },
    help: { type: 'boolean', default: false },
  },
})

/** Height of a screen in CSS pixels; longer pages have one of their own. */
const LOWEST = 900

/** Rounds that are over, by how many clients there are. */
const ROUNDS: Readonly<Record<number, number>> = { 0: 0, 1: 1, 5: 12, 200: 500 }

if (values.help) console.log(USAGE)
else await main()

async function main(): Promise<void> {
  const browser = await startBrowser()
  try {
    await takeAll(browser)
  } finally {
    await browser.close()
  }
}

async function takeAll(browser: Browser): Promise<void> {
  for (const clients of values.clients.split(',').map(Number)) {
    await using server = await startConsoleServer({ clients, rounds: ROUNDS[clients] ?? 12 })
    for (const [name, page] of Object.entries(PAGES_OF_THE_CONSOLE)) {
      if (values.page !== undefined && values.page !== name) continue
      if ('needsClients' in page && clients === 0) continue
      for (const width of values.widths.split(',').map(Number)) {
        for (const theme of values.themes.split(',') as ('light' | 'dark')[]) {
          const file = join(values.out, `${clients}-clients`, `${name}-${width}-${theme}.png`)
          await take(browser, server, { path: page.path(server.world), file, width, theme })
        }
      }
    }
    console.log(`${clients} clients: done`)
  }
}

interface Shot {
  readonly path: string
  readonly file: string
  readonly width: number
  readonly theme: 'light' | 'dark'
}

async function take(browser: Browser, { url }: ConsoleServer, shot: Shot): Promise<void> {
  const context = await browser.newContext({
    viewport: { width: shot.width, height: LOWEST },
    colorScheme: shot.theme,
    reducedMotion: 'reduce',
  })
  try {
    const page = await context.newPage()
    await page.goto(url + shot.path)
    await whole(page)
    // A screen as high as the page: what sticks to the edge of the screen is at that of the page.
    const height = await page.evaluate<number>('document.documentElement.scrollHeight')
    await page.setViewportSize({ width: shot.width, height: Math.max(height, LOWEST) })
    await mkdir(join(shot.file, '..'), { recursive: true })
    await page.screenshot({ path: shot.file })
  } finally {
    await context.close()
  }
}
