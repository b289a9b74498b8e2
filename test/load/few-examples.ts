import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { npyBytes } from '../support/data-files.ts'
import { CLASSES, INPUTS } from './load-case.ts'

/** Beside one for each client: the coordinator's own. */
const OWN_EXAMPLES = 20

/**
 * Writes examples with the inputs and classes of MNIST, so few that judging networks by them costs nothing to speak of, and in
 * arrays, as reading a table of text leaves a heap behind that is larger than what is measured.
 *
 * @returns their folder
 */
export async function writeFewExamples(home: string, clients: number): Promise<string> {
  const folder = join(home, 'few-examples')
  await mkdir(folder)
  await writeSplit(folder, 'train', clients + OWN_EXAMPLES)
  await writeSplit(folder, 'test', OWN_EXAMPLES)
  return folder
}

async function writeSplit(folder: string, split: string, examples: number): Promise<void> {
  const inputs = Uint8Array.from({ length: examples * INPUTS }, (_, at) => {
    const [row, input] = [Math.floor(at / INPUTS), at % INPUTS]
    return (row * 31 + input * 17) % 10
  })
  const labels = Uint8Array.from({ length: examples }, (_, row) => row % CLASSES)
  await writeFile(join(folder, `x_${split}.npy`), npyBytes('|u1', [examples, INPUTS], inputs))
  await writeFile(join(folder, `y_${split}.npy`), npyBytes('|u1', [examples], labels))
}
