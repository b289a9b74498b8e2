import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { CoordinatorOptions } from '../../../server/process/coordinator-options.ts'
import { startCoordinator } from '../../../server/start-coordinator.ts'
import { openStore } from '../../../server/store/open-store.ts'
import { createTemporaryFolder } from '../../support/temporary-folder.ts'
import { TOY_SETTINGS } from '../../support/toy-run.ts'

const SETTINGS = { ...TOY_SETTINGS, dataset: 'mnist', model: 'mlp:784-8-10', proxy: 20 }

afterEach(() => {
  vi.restoreAllMocks()
})

describe('startCoordinator', () => {
  it.each([
    [{ listen: { host: '0.0.0.0', port: 0, insecure: false } }, 'GRAFT_INSECURE_LISTEN'],
    [{ settings: { ...SETTINGS, dataset: 'mnits' } }, 'GRAFT_DATASET_UNKNOWN'],
    [{ settings: { ...SETTINGS, strategy: 'mean' } }, 'GRAFT_STRATEGY_UNKNOWN'],
    [{ workers: 1_000_000 }, 'GRAFT_RUN_TOO_LARGE'],
  ])('should refuse %j before it makes anything', async (changes, code) => {
    await using folder = await createTemporaryFolder()
    const home = join(folder.path, 'home')
    await expect(startCoordinator(options({ home, ...changes }))).rejects.toMatchObject({ code })
    expect(await readdir(folder.path)).toEqual([])
  })

  it.each([false, true])(
    'should say what a run will take, and begin nothing (--stay: %s)',
    async (staysForRuns) => {
      await using folder = await createTemporaryFolder()
      const home = join(folder.path, 'home')
      const written: string[] = []
      vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0)
      await startCoordinator(options({ home, staysForRuns, preflight: 'only' }))
      vi.restoreAllMocks()
      expect(written.join('')).toMatch(
        /^Forecast, 1 x 2 clients: .*\nDisk: about .* Memory: coordinator about .*\nTime of a round, measured on this machine: client .*\n$/,
      )
      expect(await readdir(folder.path)).toEqual([])
    },
  )

  it('should say where it listens, and let go of everything when it is interrupted', async () => {
    await using folder = await createTemporaryFolder()
    const stop = new AbortController()
    const reason = new Error('enough')
    const [stdout, stderr] = (['stdout', 'stderr'] as const).map((name) => {
      const written: string[] = []
      vi.spyOn(process[name], 'write').mockImplementation((text) => {
        written.push(String(text))
        if (String(text).includes('Listening')) setImmediate(() => stop.abort(reason))
        return true
      })
      return written
    })
    // With the report on stdout, everything else is on stderr.
    const words = { home: folder.path, reportTarget: true, signal: stop.signal } as const
    await expect(startCoordinator(options(words))).rejects.toBe(reason)
    vi.restoreAllMocks()

    expect(stdout).toEqual([])
    const said = stderr!.join('')
    expect(said).toMatch(/Listening on http:\/\/127\.0\.0\.1:\d+\./)
    expect(said).toMatch(/Join token, shown once: graft_/)
    expect(said).toContain('Seed: 7.')
    // The database is free, and the run is kept to go on with.
    const store = await openStore({ databaseUrl: undefined, folder: folder.path })
    expect(await store.unfinishedRun()).toMatchObject({ settings: SETTINGS })
    await store.close()
  })

  it('should refuse a run that does not fit, but not to go on with one that has begun', async () => {
    await using folder = await createTemporaryFolder()
    const home = folder.path
    const tooLarge = { home, workers: 1_000_000 }
    const misfit = { code: 'GRAFT_RUN_TOO_LARGE' }
    const quietly = async (changes: Partial<CoordinatorOptions>): Promise<string> => {
      const stop = new AbortController()
      const written: string[] = []
      vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
        written.push(String(text))
        if (String(text).includes('Listening')) setImmediate(() => stop.abort(new Error('enough')))
        return true
      })
      try {
        await startCoordinator(options({ ...changes, signal: stop.signal }))
      } catch (error) {
        if (!stop.signal.aborted) throw error
      } finally {
        vi.restoreAllMocks()
      }
      return written.join('')
    }
    await expect(quietly(tooLarge)).rejects.toMatchObject(misfit)
    expect(await quietly({ ...tooLarge, preflight: 'ignored' })).toMatch(
      /It is tried all the same\.\n[^]*Listening on/,
    )
    // The run is there now, and goes on.
    expect(await quietly(tooLarge)).toContain('Listening on')
    await expect(quietly({ ...tooLarge, preflight: 'only' })).rejects.toMatchObject(misfit)
  })
})

// Helpers

function options(changes: Partial<CoordinatorOptions>): CoordinatorOptions {
  return {
    settings: SETTINGS,
    ownData: null,
    initial: null,
    modelNotes: [],
    layout: undefined,
    listen: { host: '127.0.0.1', port: 0, insecure: false },
    joinToken: undefined,
    home: 'never-made',
    shared: undefined,
    databaseUrl: undefined,
    databaseWaitSeconds: 0,
    bucketPlace: null,
    leaseSeconds: 30,
    preflight: 'obeyed',
    workers: 0,
    keepUpdates: 2,
    log: { to: undefined, level: 'info' },
    isStandby: false,
    staysForRuns: false,
    runForm: { options: [], toSettings: () => SETTINGS },
    engine: 'auto',
    reportTarget: undefined,
    signal: new AbortController().signal,
    ...changes,
  }
}
