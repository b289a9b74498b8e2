import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CLASSES, INPUTS } from './load-case.ts'

/** Beside one for each client: the coordinator's own. */
const OWN_EXAMPLES = 20

/**
 * Writes tables with the inputs and classes of MNIST and so few examples that judging networks by them costs nothing to speak of.
 *
 * @returns their folder
 */
export async function writeFewExamples(home: string, clients: number): Promise<string> {
  const folder = join(home, 'few-examples')
  await mkdir(folder)
  await writeFile(join(folder, 'train.csv'), table(clients + OWN_EXAMPLES))
  await writeFile(join(folder, 'test.csv'), table(OWN_EXAMPLES))
  return folder
}

function table(examples: number): string {
  const columns = Array.from({ length: INPUTS }, (_, input) => `x${input}`)
  const rows = Array.from({ length: examples }, (_, row) =>
    [...columns.map((_name, input) => (row * 31 + input * 17) % 10), row % CLASSES].join(),
  )
  return [[...columns, 'label'].join(), ...rows].join('\n')
}
