import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

// Three files at a time, whatever the cores: each starts an engine, which takes every core while it computes, but most of the time
// files wait for processes and databases to start.
const common = {
  pool: 'forks',
  maxWorkers: 3,
  testTimeout: 120_000,
  hookTimeout: 120_000,
  // What is waited for comes, or the test fails by its own limit: how loaded the machine is decides nothing.
  expect: { poll: { timeout: 30_000 } },
} as const

/** They have a process each: they read its memory, or replace modules, which another file of the worker may have loaded before. */
const ALONE = ['test/unit/server/proxy/bench-network.test.ts', ...filesThatMock('test/unit')]

function filesThatMock(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const files = names.filter((name) => name.endsWith('.test.ts')).map((name) => join(folder, name))
  return files.filter((file) => /\bvi\.(mock|doMock)\(/.test(readFileSync(file, 'utf8')))
}

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...common,
          name: 'unit',
          // A worker loads the libraries once, not for each of its hundred files, which was a third of its work. On webgpu
          // tests fail so, and test:webgpu isolates them.
          isolate: false,
          include: [
            'test/unit/**/*.test.ts',
            'test/golden/**/*.test.ts',
            'test/fuzz/**/*.test.ts',
            'test/pitfalls/**/*.test.ts',
          ],
          exclude: ALONE,
        },
      },
      { test: { ...common, name: 'alone', include: ALONE } },
      {
        test: {
          ...common,
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          // Rounds with databases that start, beside another file's.
          testTimeout: 300_000,
        },
      },
      { test: { ...common, name: 'console', include: ['test/console/**/*.test.ts'] } },
      {
        test: {
          ...common,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
})
