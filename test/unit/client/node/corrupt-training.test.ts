import { describe, expect, it } from 'vitest'
import { corruptTraining } from '../../../../client/node/corrupt-training.ts'
import { arrayExamples } from '../../../../shared/data/array-examples.ts'
import { shardName } from '../../../../shared/data/shard.ts'
import { countClasses } from '../../../../shared/data/subset.ts'
import { ClientId } from '../../../../shared/ids.ts'

const SIZE = 40
const train = arrayExamples(
  { inputShape: [2, 2, 1], numClasses: 4 },
  Float32Array.from({ length: 4 * SIZE }, (_, i) => i % 7),
  new Int32Array(SIZE),
)
const data = { train, judge: train }
const run = { labelNoise: '0.5@1,2', featureSkew: 'rotation:60@0,1', seed: 7 }

describe('corruptTraining', () => {
  it('should change what chosen clients train on, and never what they judge by', () => {
    const [zero, one, two, three] = [0, 1, 2, 3].map((index) =>
      corruptTraining(data, run, of(index)),
    )
    expect(countClasses(zero!.train)[0]).toBe(SIZE)
    for (const noisy of [one!, two!]) {
      expect(countClasses(noisy.train)[0]).toBeLessThan(SIZE)
      expect(countClasses(noisy.judge!)[0]).toBe(SIZE)
      expect(noisy.judge).toBe(train)
    }
    expect(zero!.train.inputs([0])).not.toEqual(train.inputs([0]))
    expect(two!.train.inputs([0])).toEqual(train.inputs([0]))
    expect(three).toBe(data)
  })

  it('should give each client angles and labels of its own, the same every time', () => {
    const [zero, one, again] = [0, 1, 1].map((index) => corruptTraining(data, run, of(index)).train)
    expect(zero!.inputs([0])).not.toEqual(one!.inputs([0]))
    expect(one!.inputs([0])).toEqual(again!.inputs([0]))
    expect(one!.labels).toEqual(again!.labels)
    expect(corruptTraining(data, run, of(2)).train.labels).not.toEqual(one!.labels)
    expect(corruptTraining(data, { ...run, seed: 8 }, of(1)).train.labels).not.toEqual(one!.labels)
  })

  it('should leave a client with all of its own data alone, unless it asks itself', () => {
    const clinic = { id: ClientId.parse('clinic-a'), shard: undefined }
    expect(corruptTraining(data, { labelNoise: '1', seed: 7 }, clinic)).toBe(data)
    const said: string[] = []
    const onCorrupted = (what: string) => void said.push(what)
    const own = { labelNoise: '1', featureSkew: 'blur:1.5' }
    const asked = corruptTraining(data, { seed: 7 }, { ...clinic, own, onCorrupted })
    expect(countClasses(asked.train)[0]).toBe(0)
    expect(said).toEqual(['100 % of labels wrong, blur 1.5 px'])
  })
})

function of(index: number) {
  const shard = { index, count: 4 }
  return { id: shardName(shard), shard }
}
