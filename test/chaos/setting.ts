import type { EngineChoice } from '../../shared/engine/engine.ts'
import { createRng } from '../../shared/numeric/rng.ts'
import { syntheticExamples } from '../support/synthetic-examples.ts'

/** Clients in a cohort. */
export const COHORT = 3
/** Of one client; three chunks, so that an upload can be cut between two. */
export const UPDATE_BYTES = 2_150_000

export const TOKEN = 'a-join-token-for-chaos'

const MODEL = 'mlp:6-512-1024-4'
const NUM_INPUTS = 6

/** What federations take turns at: one strategy without a memory, two with one that a kill must not lose. */
export const STRATEGIES = ['nt', 'scaffold', 'fedadam'] as const
export type ChaosStrategy = (typeof STRATEGIES)[number]

export interface Setting {
  readonly strategy: ChaosStrategy
  readonly rounds: number
  readonly seed: number
  readonly engine: EngineChoice
}

/** The mean gradient that SCAFFOLD learns is that of plain steps. */
const OPTIMIZER = ['--optimizer', 'plain-sgd', '--learning-rate', '0.1']

/** Seconds without a sign of life that a standby waits. */
export const LEASE_SECONDS = 4

/** What each of two coordinators is told besides. */
export const standbyWords = (port: number) => [
  ...['--port', String(port)],
  ...['--standby', '--lease', String(LEASE_SECONDS)],
]

/** Small rounds of real work: all clients are waited for, so that the cohort stays the same. */
export function coordinatorWords(setting: Setting, place: { home: string; data: string }) {
  return [
    ...['--home', place.home, '--data', place.data, '--model', MODEL],
    ...['--clients', String(COHORT), '--rounds', String(setting.rounds)],
    ...['--strategy', setting.strategy, '--seed', String(setting.seed)],
    ...['--proxy', '80', '--local-epochs', '1', '--tune-epochs', '2', '--publish', 'always'],
    ...(setting.strategy === 'scaffold' ? OPTIMIZER : []),
    ...['--controls', 'last', '--deadline', '3600', '--engine', setting.engine],
  ]
}

/** A table of four classes, the same one for the same seed. */
export function dataTable(seed: number): string {
  const size = 480
  const examples = syntheticExamples({
    rng: createRng(`chaos data/${seed}`),
    ...{ size, numClasses: 4, numInputs: NUM_INPUTS, noise: 0.6 },
  })
  const inputs = examples.inputs(Array.from({ length: size }, (_, index) => index))
  const rows = Array.from(examples.labels, (label, index) => {
    const row = inputs.slice(index * NUM_INPUTS, (index + 1) * NUM_INPUTS)
    return [...Array.from(row, (value) => value.toFixed(4)), `class-${label}`].join(',')
  })
  return `a,b,c,d,e,f,class\n${rows.join('\n')}\n`
}
