import { defineConfig } from 'vitest/config'

// One process at a time: each file starts its own engine, and a TensorFlow.js engine uses every core.
const common = { pool: 'forks', maxWorkers: 1, testTimeout: 60_000, hookTimeout: 120_000 } as const

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...common,
          name: 'unit',
          include: [
            'test/unit/**/*.test.ts',
            'test/golden/**/*.test.ts',
            'test/pitfalls/**/*.test.ts',
          ],
        },
      },
      { test: { ...common, name: 'integration', include: ['test/integration/**/*.test.ts'] } },
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
