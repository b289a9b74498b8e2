import { describe, expect, it } from 'vitest'
import { describeEvent, printEvent } from '../../../../client/node/print-event.ts'
import type { NodeEvent } from '../../../../client/node/progress.ts'
import { GraftError } from '../../../../shared/errors.ts'
import { clientId, round, RUN, SETTINGS } from '../../../support/test-gateway.ts'

describe('describeEvent', () => {
  it.each<[NodeEvent, string | null]>([
    [
      {
        type: 'joined',
        run: RUN,
        clientId: clientId('clinic-b'),
        settings: SETTINGS,
        numExamples: 600,
      },
      'joined as clinic-b: mlp:4-3-2 on toy, 600 examples, seed 7',
    ],
    [
      { type: 'progress', round: round(1), phase: 'training', done: 0.5, loss: 0.31 },
      'round 1: training 50 %, loss 0.3100',
    ],
    [{ type: 'progress', round: round(1), phase: 'pulling', done: 1 }, 'round 1: pulling 100 %'],
    [{ type: 'progress', round: round(1), phase: 'training', done: 0.51 }, null],
    [{ type: 'progress', round: round(1), phase: 'training', done: 0 }, null],
    [
      {
        type: 'accepted',
        round: round(2),
        sizeBytes: 2_600_000,
        seconds: { train: 1.25, attribute: 0.5, upload: 0 },
      },
      'round 2: update accepted, 2.6 MB (train 1.3 s, attribute 0.5 s, upload 0.0 s)',
    ],
    [
      { type: 'evaluated', round: round(1), accuracy: 0.9375, loss: 0.2 },
      'round 1: published model has accuracy 93.75 % here, loss 0.2000',
    ],
    [
      { type: 'round-failed', round: round(1), code: 'GRAFT_COHORT_TOO_SMALL' },
      'round 1: failed (GRAFT_COHORT_TOO_SMALL)',
    ],
    [{ type: 'finished', rounds: 1 }, 'finished after 1 round'],
    [{ type: 'finished', rounds: 3 }, 'finished after 3 rounds'],
  ])('should say %j', (event, line) => {
    expect(describeEvent(event)).toBe(line)
  })

  it('should say why an update was refused, and what to do', () => {
    const error = new GraftError('GRAFT_ROUND_STALE', 'Round 1 is over.')
    expect(describeEvent({ type: 'refused', round: round(1), error })).toMatch(
      /^round 1: update refused: Round 1 is over\. Discard .* \(GRAFT_ROUND_STALE\)$/,
    )
  })

  it('should not tell a client how to mend the coordinator', () => {
    const error = new GraftError('GRAFT_DISK_FULL', 'The coordinator could not store the update.')
    expect(describeEvent({ type: 'refused', round: round(1), error })).toBe(
      'round 1: the coordinator cannot take the update now (GRAFT_DISK_FULL); waiting until it can',
    )
  })
})

describe('printEvent', () => {
  it('should write whole lines, and none for what needs none', () => {
    let text = ''
    const out = { write: (more: string) => (text += more) }
    printEvent({ type: 'progress', round: round(1), phase: 'pulling', done: 0.01 }, out)
    printEvent({ type: 'finished', rounds: 2 }, out)
    expect(text).toBe('finished after 2 rounds\n')
  })
})
