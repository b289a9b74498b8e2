import type { Scorer } from './scorer.ts'

/** Every neuron matters alike: what a fusion without scores assumes. Looks at no example. */
export const uniform: Scorer = {
  name: 'uniform',
  summary: 'every neuron counts the same',
  score: async ({ graph }) => graph.groups.map(({ width }) => new Float32Array(width).fill(1)),
}
