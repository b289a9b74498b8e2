import { afterEach, describe, expect, it, vi } from 'vitest'
import { runNode } from '../../../../client/node/node.ts'
import { runShards } from '../../../../client/simulator/worker.ts'
import { loadDataset } from '../../../../shared/data/datasets.ts'
import { GraftError } from '../../../../shared/errors.ts'
import { TOY_DATASET, TOY_SETTINGS } from '../../../support/toy-run.ts'

vi.mock(import('../../../../client/node/node.ts'))
vi.mock(import('../../../../shared/data/datasets.ts'))

const OPTIONS = {
  server: 'http://127.0.0.1:1',
  token: 'secret',
  shards: [1, 3],
  clients: 12,
  engineName: 'wasm',
  ownSource: null,
  plan: null,
  seed: 7,
  updateFolder: null,
  tell: () => undefined,
  signal: new AbortController().signal,
}

afterEach(() => {
  vi.clearAllMocks()
})

describe('runShards', () => {
  it('should run a node a shard, named as the shards sort', async () => {
    vi.mocked(runNode).mockResolvedValue({ rounds: 1, accepted: [] })
    await runShards(OPTIONS)
    const nodes = vi.mocked(runNode).mock.calls.map(([node]) => node)
    expect(nodes.map(({ name }) => name)).toEqual(['client-01', 'client-03'])
    const { server, token, engineName, signal } = OPTIONS
    for (const node of nodes)
      expect(node).toMatchObject({ servers: [server], token, engineName, signal })
  })

  it('should read the data set once for all, and deal each its own part', async () => {
    vi.mocked(runNode).mockResolvedValue({ rounds: 1, accepted: [] })
    vi.mocked(loadDataset).mockResolvedValue(TOY_DATASET)
    await runShards({ ...OPTIONS, shards: [0, 1], clients: 2 })
    const nodes = vi.mocked(runNode).mock.calls.map(([node]) => node)
    const [a, b] = await Promise.all(nodes.map((node) => node.dataFor(TOY_SETTINGS, node.name!)))
    expect(loadDataset).toHaveBeenCalledExactlyOnceWith('toy')
    expect(a!.train.labels.length + b!.train.labels.length).toBe(
      TOY_DATASET.train.labels.length - TOY_SETTINGS.proxy,
    )
  })

  it('should make wrong the labels of the clients that the run chooses', async () => {
    vi.mocked(runNode).mockResolvedValue({ rounds: 1, accepted: [] })
    vi.mocked(loadDataset).mockResolvedValue(TOY_DATASET)
    await runShards({ ...OPTIONS, shards: [0, 1], clients: 2 })
    const nodes = vi.mocked(runNode).mock.calls.map(([node]) => node)
    const settings = { ...TOY_SETTINGS, labelNoise: '1@1' }
    const [right, wrong] = await Promise.all(
      nodes.map((node) => node.dataFor(settings, node.name!)),
    )
    expect(right!.train.labels).toEqual(right!.judge!.labels)
    for (const [i, label] of wrong!.judge!.labels.entries())
      expect(wrong!.train.labels[i]).not.toBe(label)
  })

  it('should fail with the first of its clients that fails', async () => {
    const refused = new GraftError('GRAFT_TOKEN_INVALID', 'No such token.')
    vi.mocked(runNode).mockRejectedValue(refused)
    await expect(runShards(OPTIONS)).rejects.toBe(refused)
  })
})
