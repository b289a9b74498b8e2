import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { AxeResults } from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeReport } from '../../client/simulator/report/write-report.ts'
import { NO_BROWSER, startBrowser } from '../support/browser.ts'
import { studyRuns } from '../support/study-runs.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../support/temporary-folder.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const SMALL = {
  strategies: ['fedavg', 'nt:importance=attribution', 'kf-linear'],
  seeds: [1, 2],
  clients: 3,
  rounds: 2,
}
const LARGE = {
  strategies: Array.from({ length: 12 }, (_, i) => `nt:variant=merge-prune:option=${i}`),
  seeds: [1],
  clients: 200,
  rounds: 2,
}
const LAST_OF_A_RUN = { strategies: ['nt'], seeds: [7], clients: 1, rounds: 1 }

describe.skipIf(NO_BROWSER !== null)(`the page of a report ${NO_BROWSER ?? ''}`, () => {
  let browser: Browser
  let folder: TemporaryFolder

  beforeAll(async () => {
    folder = await createTemporaryFolder()
    browser = await startBrowser()
    for (const [name, shape] of Object.entries({ SMALL, LARGE, LAST_OF_A_RUN })) {
      await writeReport(join(folder.path, name), {
        command: 'graft simulate',
        runs: studyRuns(shape),
      })
    }
  })

  afterAll(async () => {
    await browser.close()
    await folder[Symbol.asyncDispose]()
  })

  it.each([
    ['SMALL', 390, 'light'],
    ['SMALL', 1280, 'dark'],
    ['LARGE', 390, 'dark'],
    ['LAST_OF_A_RUN', 390, 'light'],
  ] as const)(
    'should be whole and accessible: %s at %i px, %s',
    async (name, width, colorScheme) => {
      await withPage({ name, width, colorScheme }, async (page, seen) => {
        expect(seen.complaints).toEqual([])
        expect(seen.requests).toEqual([`file://${join(folder.path, name, 'index.html')}`])
        expect(await overflowing(page)).toEqual([])
        // The same elements as in the others, but so many of them that it would take minutes.
        if (name !== 'LARGE') expect(await violations(page)).toEqual([])
      })
    },
  )

  it('should say by role and text what there is', async () => {
    await withPage({ name: 'SMALL', width: 1280, colorScheme: 'light' }, async (page) => {
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe(
        '3 strategies on mnist',
      )
      expect(await page.getByRole('heading', { level: 2 }).allTextContents()).toEqual([
        'Result',
        'Accuracy and loss by round',
        'Beside the controls',
        'Accuracy by class',
        'Forgetting',
        'Who had which examples',
        'How different the parents were',
        'Whose neurons survive',
        'What it cost',
        'How it was made',
      ])
      const result = page.getByRole('table', { name: /^Accuracy on the test split/ }).first()
      const row = result.getByRole('row', { name: /^kf-linear/ })
      expect(await row.getByRole('cell').first().textContent()).toMatch(/^\d\d\.\d\d ± \d\.\d\d %$/)
      const chart = page.getByRole('img', { name: 'Accuracy of the published model by round' })
      await expect.poll(() => chart.isVisible()).toBe(true)
    })
  })

  it('should lead from a section’s link to it by the keyboard', async () => {
    await withPage({ name: 'SMALL', width: 390, colorScheme: 'dark' }, async (page) => {
      await page.keyboard.press('Tab')
      await expect
        .poll(() => page.evaluate('document.activeElement.textContent'))
        .toBe('Skip to the result')
      await page.getByRole('link', { name: 'What it cost' }).focus()
      await page.keyboard.press('Enter')
      await page.waitForURL(/#cost$/)
      const numbers = page.locator('summary', { hasText: 'The numbers' }).first()
      await numbers.focus()
      await page.keyboard.press('Enter')
      await expect
        .poll(() => page.getByRole('table', { name: /^Accuracy by class/ }).isVisible())
        .toBe(true)
    })
  })

  // Helpers

  interface View {
    readonly name: string
    readonly width: number
    readonly colorScheme: 'light' | 'dark'
  }

  interface Seen {
    readonly complaints: string[]
    readonly requests: string[]
  }

  /** The page with everything unfolded that can be. */
  async function withPage(
    { name, width, colorScheme }: View,
    test: (page: Page, seen: Seen) => Promise<void>,
  ): Promise<void> {
    // What is run in the page for the test is not the page's: its policy forbids all scripts.
    const context = await browser.newContext({
      viewport: { width, height: 900 },
      colorScheme,
      bypassCSP: true,
    })
    try {
      const page = await context.newPage()
      const seen: Seen = { complaints: [], requests: [] }
      page.on('console', (message) => seen.complaints.push(message.text()))
      page.on('pageerror', (error) => seen.complaints.push(error.message))
      page.on('request', (request) => seen.requests.push(request.url()))
      await page.goto(`file://${join(folder.path, name, 'index.html')}`)
      await test(page, seen)
    } finally {
      await context.close()
    }
  }

  /** What is wider than the screen and cannot be scrolled by itself, all details unfolded. */
  async function overflowing(page: Page): Promise<unknown> {
    return page.evaluate(`(() => {
      for (const details of document.querySelectorAll('details')) details.open = true
      const root = document.documentElement
      return root.scrollWidth <= root.clientWidth ? [] : [...document.querySelectorAll('main *')]
        .filter((e) => e.closest('.scroll') === null && e.getBoundingClientRect().right > root.clientWidth)
        .map((e) => e.outerHTML.slice(0, 100))
    })()`)
  }

  async function violations(page: Page): Promise<string[]> {
    await page.evaluate(AXE)
    const found: AxeResults = await page.evaluate(
      // A chart is one image to a reader of screens: what is in it need not be looked at.
      `axe.run({ exclude: ['.chart > *'] }, { resultTypes: ['violations'] })`,
    )
    return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]!.html.slice(0, 150)}`)
  }
})
