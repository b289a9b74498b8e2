import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const PLACES = [
  process.env['CHROMIUM'],
  // Chromium less its windows: the same pages for less than half of the processor.
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/** The system’s Chromium, or the one that CHROMIUM names; undefined where there is none. */
export const BROWSER = PLACES.find((path) => path !== undefined && existsSync(path))

/** Why tests in a browser are skipped; null where they are not. Under CI a browser has to be there. */
export const NO_BROWSER =
  BROWSER !== undefined || process.env['CI'] !== undefined
    ? null
    : 'no Chromium was found: install it, or name it in CHROMIUM'

export function startBrowser(): Promise<Browser> {
  if (BROWSER === undefined)
    throw new Error('There is no Chromium here: install it, or name it in CHROMIUM.')
  // Chromium's own sandbox does not run as root, as in a container; the page is ours.
  return chromium.launch({ executablePath: BROWSER, args: ['--no-sandbox'] })
}
