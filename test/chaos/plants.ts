import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Moment } from './plan.ts'

const DIST = resolve(import.meta.dirname, '../../..')

export interface Plant {
  /** Of the compiled coordinator; each text must be there once. */
  readonly changes: readonly { readonly file: string; readonly from: string; readonly to: string }[]
  readonly hasStandby: boolean
  /** Moments at which the bug shows. @default all */
  readonly moments?: readonly Moment[]
  /** Share of blows that freeze. */
  readonly freezes: number
}

/** Bugs that the checker must find: whoever changes it can see that it still does. */
export const PLANTS = {
  'early-acknowledgement': {
    changes: [
      {
        file: 'server/coordinator/client-handlers.js',
        from: 'await acceptUpdate(session',
        to: 'void acceptUpdate(session',
      },
    ],
    ...{ hasStandby: false, freezes: 0, moments: ['acknowledged'] },
  },
  'no-fence': {
    changes: [
      {
        file: 'server/store/prisma-store.js',
        from: 'WHERE "epoch" = ${epoch} FOR SHARE',
        to: 'WHERE "epoch" > 0 FOR SHARE',
      },
      {
        file: 'server/store/leadership.js',
        from: 'leader !== undefined && leader?.epoch !== epoch',
        to: 'false',
      },
    ],
    ...{ hasStandby: true, freezes: 1 },
  },
  'wrong-offset': {
    changes: [
      {
        file: 'server/gateway/uploads.js',
        from: 'take(upload, piece);',
        to: 'take(upload, piece.subarray(0, -1));',
      },
    ],
    ...{ hasStandby: false, freezes: 0, moments: ['uploading'] },
  },
} as const satisfies Record<string, Plant>
export type PlantName = keyof typeof PLANTS

/** Copies the compiled program and puts the bug into the copy. @returns its `cli.js` */
export async function plant(name: PlantName): Promise<string> {
  const folder = join(DIST, 'planted', name)
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  for (const part of ['cli.js', 'server', 'client', 'shared']) {
    await cp(join(DIST, part), join(folder, part), { recursive: true })
  }
  for (const { file, from, to } of PLANTS[name].changes) {
    const path = join(folder, file)
    const pieces = (await readFile(path, 'utf8')).split(from)
    if (pieces.length !== 2) throw new Error(`${file} has "${from}" ${pieces.length - 1} times`)
    await writeFile(path, pieces.join(to))
  }
  return join(folder, 'cli.js')
}
