import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { PAGES } from '../support/console-server.ts'

/** What a first visit may load, gzipped. */
const MOST_BYTES = 350_000

describe('the first load', () => {
  it('should stay small', () => {
    const html = readFileSync(join(PAGES, 'index.html'), 'utf8')
    // Scripts, what they import at once, and styles; pages that are opened later are none of it.
    const files = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.(?:js|css))"/g)].map(
      ([, file]) => file!,
    )
    expect(files.length).toBeGreaterThan(1)
    const sizes = [html, ...files.map((file) => readFileSync(join(PAGES, file)))].map(
      (content) => gzipSync(content).length,
    )
    const total = sizes.reduce((sum, size) => sum + size, 0)
    console.log(`first load: ${(total / 1000).toFixed(1)} kB gzipped in ${files.length + 1} files`)
    expect(total).toBeLessThan(MOST_BYTES)
  })
})
