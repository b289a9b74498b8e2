import { z } from 'zod'

const Row = z
  .record(z.string(), z.union([z.string(), z.number()]))
  .describe('what distinguishes a row of the grid: data set, partition, model, parents, ...')
export type Row = z.infer<typeof Row>

/** What is counted: accuracies are shares from 0 to 1. */
export const Unit = z.enum(['share', 'seconds', 'rounds', 'updates', 'MB', 'MiB'])
export type Unit = z.infer<typeof Unit>

const Measure = z.strictObject({ name: z.string().min(1), unit: Unit })
export type Measure = z.infer<typeof Measure>

/** One method, or control, in one row with one seed. */
const MethodResult = z.strictObject({
  method: z.string().min(1).describe('with its options, or the name of a control'),
  values: z.record(z.string(), z.number().nullable()).describe('by measure; null: not measured'),
  atLeast: z
    .array(z.string())
    .optional()
    .describe('measures whose true value is larger: the run ended before'),
  note: z.string().optional().describe('why something is not measured; one line'),
})
export type MethodResult = z.infer<typeof MethodResult>

const ExperimentCase = z.strictObject({
  row: Row,
  seed: z.int().nonnegative(),
  results: z.array(MethodResult),
})
export type ExperimentCase = z.infer<typeof ExperimentCase>

/** What is kept of a finished part of an experiment, so that it is not repeated. */
export const FinishedPart = z.strictObject({
  key: z.string(),
  engine: z.string(),
  seconds: z.number().nonnegative().describe('wall clock, training of parents included'),
  cases: z.array(ExperimentCase),
})
export type FinishedPart = z.infer<typeof FinishedPart>

const Statistic = z.strictObject({
  mean: z.number(),
  deviation: z.number().nonnegative().nullable().describe('of the sample, n - 1; null of one seed'),
  seeds: z.int().positive(),
  isAtLeast: z.boolean().optional().describe('the true mean is larger'),
})
export type Statistic = z.infer<typeof Statistic>

const SummaryRow = z.strictObject({
  row: Row,
  methods: z.array(
    z.strictObject({
      method: z.string(),
      values: z.record(z.string(), Statistic).describe('by measure; absent: not measured'),
      note: z.string().optional(),
    }),
  ),
})
export type SummaryRow = z.infer<typeof SummaryRow>

/** One side of a comparison against the other, in one row. */
const Finding = z.strictObject({
  row: Row,
  says: z.string().describe('what is compared, with the numbers; one line'),
  holds: z.boolean().nullable().describe('null: it could not be tested'),
})
export type Finding = z.infer<typeof Finding>

export const OUTCOMES = ['reproduced', 'not reproduced', 'not tested'] as const

const ClaimReport = z.strictObject({
  id: z.string(),
  source: z.string().describe('paper and place'),
  says: z.string().describe('the claim, in our words'),
  outcome: z.enum(OUTCOMES),
  why: z.string().describe('one line'),
  findings: z.array(Finding),
})
export type ClaimReport = z.infer<typeof ClaimReport>

/** What `graft experiment NAME --json` writes, for every preset alike. */
export const ExperimentReport = z
  .strictObject({
    version: z.string().describe('of Graft'),
    experiment: z.string(),
    summary: z.string(),
    isQuick: z.boolean(),
    command: z.string().describe('that makes it again'),
    engine: z.string().describe('TensorFlow.js engine'),
    node: z.string().describe('version of Node.js'),
    cores: z.int().positive().describe('of the machine'),
    seeds: z.array(z.int().nonnegative()),
    grid: z.record(z.string(), z.unknown()).describe('everything that decides the result'),
    subsets: z.array(z.string()).describe('how much of each data set was used; a line each'),
    seconds: z.number().nonnegative().describe('wall clock of all cases, beside other work or not'),
    measures: z.array(Measure),
    cases: z.array(ExperimentCase),
    means: z.array(SummaryRow).describe('over seeds'),
    claims: z.array(ClaimReport),
  })
  .meta({ title: 'Graft experiment report' })
export type ExperimentReport = z.infer<typeof ExperimentReport>
