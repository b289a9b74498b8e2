import type { Browser } from 'playwright-core'
import { startBrowser } from '../support/browser.ts'
import { startConsoleServer } from '../support/console-server.ts'
import { openPage } from './open-page.ts'
import { whole } from './pages.ts'

/** Presses of a key and clicks that are measured in each state of the page. */
const INTERACTIONS = 60
const CLIENTS = 200

/** The browser’s own measure of each interaction: from the input to the next paint, in steps of 8 ms. */
const OBSERVE = `(() => {
  window.interactions = new Map()
  new PerformanceObserver((list) => {
    for (const { interactionId, duration } of list.getEntries())
      if (interactionId > 0)
        interactions.set(interactionId, Math.max(duration, interactions.get(interactionId) ?? 0))
  }).observe({ type: 'event', durationThreshold: 16, buffered: true })
})()`

const browser = await startBrowser()
try {
  const idle = await measure(browser, false)
  const moving = await measure(browser, true)
  print('idle', idle)
  print('moving', moving)
  console.log(`ratio of the slowest: ${(slowest(moving) / slowest(idle)).toFixed(2)}`)
} finally {
  await browser.close()
}

/** Works with the lanes of a round while clients report, or do not. */
async function measure(on: Browser, isMoving: boolean): Promise<number[]> {
  await using server = await startConsoleServer({ clients: CLIENTS, rounds: 20, isMoving })
  const { run } = server.world
  const path = `/runs/${run.id}/rounds/${run.rounds + 1}`
  await using open = await openPage(on, server.url + path)
  const { page } = open
  await whole(page)
  await page.evaluate(OBSERVE)
  const filter = page.getByLabel('Client', { exact: true })
  const orders = ['Furthest behind', 'By name']
  for (let i = 0; i < INTERACTIONS / 3; i++) {
    await page.getByRole('radio', { name: orders[i % 2]! }).click()
    await filter.focus()
    await page.keyboard.press('n')
    await page.keyboard.press('Backspace')
  }
  return await page.evaluate<number[]>('[...interactions.values()]')
}

/** What is below the threshold is not told: it counts as 16 ms. */
function slowest(durations: readonly number[]): number {
  return Math.max(16, ...durations)
}

function print(name: string, durations: readonly number[]): void {
  const told = durations.toSorted((a, b) => b - a)
  // Interaction to next paint: the slowest but for one in fifty.
  const inp = Math.max(16, told[Math.floor(INTERACTIONS / 50)] ?? 0)
  console.log(
    `${name}: ${INTERACTIONS} interactions beside ${CLIENTS} clients, ${told.length} of 16 ms or more; interaction to next paint ${inp} ms, slowest ${slowest(told)} ms`,
  )
}
