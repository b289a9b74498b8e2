import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import type { Browser, Page } from 'playwright-core'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

export interface View {
  readonly width?: number
  readonly colorScheme?: 'light' | 'dark'
}

/** A page of the console, and what the browser had to say about it. */
export interface OpenPage extends AsyncDisposable {
  readonly page: Page
  readonly complaints: readonly string[]
}

export async function openPage(browser: Browser, url: string, view: View = {}): Promise<OpenPage> {
  const { width = 1280, colorScheme = 'light' } = view
  // What is run in the page for the test is not the page's: its policy forbids all other scripts.
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme,
    reducedMotion: 'reduce',
    bypassCSP: true,
  })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    // A refusal that the page expects is told by the browser, too.
    if (message.type() === 'error' && !message.text().includes('status of 4'))
      complaints.push(message.text())
  })
  await page.goto(url)
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() }
}

/** Serious and critical findings of axe, with the first element of each. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AXE)
  const found: AxeResults = await page.evaluate(
    `axe.run(document, { resultTypes: ['violations'] })`,
  )
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, nodes }) =>
        `${id} (${nodes.length}): ${nodes[0]!.html.slice(0, 160)} ${nodes[0]!.failureSummary ?? ''}`,
    )
}

/** What is wider than the screen and cannot be scrolled by itself; the whole page when nothing of it can be named. */
export async function overflowing(page: Page): Promise<string[]> {
  return page.evaluate(`(() => {
    const root = document.documentElement
    if (root.scrollWidth <= root.clientWidth) return []
    const wide = [...document.querySelectorAll('body *')]
      .filter((e) => e.closest('.scroll') === null && e.getBoundingClientRect().right > root.clientWidth + 1)
      .map((e) => e.outerHTML.slice(0, 120))
    return wide.length > 0 ? wide : [\`the page: \${root.scrollWidth} of \${root.clientWidth} px\`]
  })()`)
}
