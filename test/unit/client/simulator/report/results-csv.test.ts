import { parse } from 'csv-parse/sync'
import { describe, expect, it } from 'vitest'
import { resultsCsv } from '../../../../../client/simulator/report/results-csv.ts'
import { toStudy } from '../../../../../client/simulator/report/study.ts'
import { studyRuns } from '../../../../support/study-runs.ts'

describe('resultsCsv', () => {
  it('should have a row for each strategy, seed and round, that other programs read', () => {
    const strategies = ['fedavg', 'odd, "quoted"\nname']
    const runs = studyRuns({ strategies, seeds: [1, 2], clients: 3, rounds: 2, classes: 4 })
    const rows: Record<string, string>[] = parse(resultsCsv(toStudy(runs)), { columns: true })
    expect(rows.map(({ strategy, seed, round }) => [strategy, seed, round])).toEqual(
      strategies.flatMap((name) =>
        ['1', '2'].flatMap((seed) => ['1', '2'].map((round) => [name, seed, round])),
      ),
    )
    const { published, controls, bytes } = runs[0]!.rounds[1]!
    expect(rows[1]).toMatchObject({
      published_accuracy: String(published.accuracy),
      published_accuracy_class_3: String(published.classAccuracy![3]),
      ensemble_loss: String(controls.ensemble!.loss),
      bytes_up: String(bytes.up),
    })
    expect(Number(rows[1]!['forgetting_published'])).not.toBeNaN()
    expect(rows[0]!['forgetting_published']).toBe('')
  })
})
