import type { Page } from 'playwright-core'
import type { World } from '../support/console/world.ts'

interface ConsolePage {
  readonly path: (world: World) => string
  /** Whether there is such a page only where there are clients and rounds. */
  readonly needsClients?: boolean
}

/** Every page of the console by a name, with an address that shows it in full. */
export const PAGES_OF_THE_CONSOLE = {
  overview: { path: () => '/' },
  runs: { path: () => '/runs' },
  'new-run': { path: () => '/runs/new' },
  run: { path: ({ run }) => `/runs/${run.id}`, needsClients: true },
  'round-live': {
    path: ({ run }) => `/runs/${run.id}/rounds/${run.rounds + 1}`,
    needsClients: true,
  },
  round: { path: ({ run }) => `/runs/${run.id}/rounds/${run.rounds}`, needsClients: true },
  fusion: { path: ({ run }) => `/runs/${run.id}/rounds/${run.rounds}/fusion`, needsClients: true },
  'fusion-neurons': {
    path: ({ run }) => `/runs/${run.id}/rounds/${run.rounds}/fusion?level=dense`,
    needsClients: true,
  },
  clients: { path: () => '/clients' },
  client: { path: ({ clientIds }) => `/clients/${clientIds[1]!}`, needsClients: true },
  models: {
    path: ({ summaries }) => {
      const [a, b] = [summaries[0], summaries.at(-1)]
      return a === undefined || b === undefined || a === b
        ? '/models'
        : `/models?a=${a.published.modelSha256}&b=${b.published.modelSha256}`
    },
  },
  quarantine: { path: () => '/quarantine' },
  tokens: { path: () => '/tokens' },
  audit: { path: () => '/audit' },
  settings: { path: () => '/settings' },
  'not-found': { path: () => '/nowhere' },
} as const satisfies Record<string, ConsolePage>

/** A busy machine draws 200 clients and 500 rounds of them slowly. */
const PATIENT = { timeout: 120_000 }

/** Waits until the page has everything that it asked for, and hears the feed. */
export async function whole(page: Page): Promise<void> {
  await page.getByText('Live', { exact: true }).waitFor(PATIENT)
  await page
    .locator('.skeleton')
    .first()
    .waitFor({ state: 'detached', ...PATIENT })
  await page.evaluate('document.fonts.ready')
}
