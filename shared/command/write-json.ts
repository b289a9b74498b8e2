import writeFileAtomic from 'write-file-atomic'
import { toGraftError } from '../errors.ts'
import type { TextStream } from './text-stream.ts'

/**
 * Writes a value where `--json [FILE]` says: `true` is stdout. A file appears complete or not at all, and
 * one that was there before stays until then.
 *
 * @throws GraftError GRAFT_FILE_UNREADABLE, GRAFT_DISK_FULL
 */
export async function writeJson(
  value: unknown,
  target: string | true,
  stdout: TextStream = process.stdout,
): Promise<void> {
  const text = jsonText(value)
  if (target === true) {
    stdout.write(text)
    return
  }
  try {
    await writeFileAtomic(target, text)
  } catch (error) {
    throw toGraftError(error)
  }
}

/** Two spaces a level, as people read it. */
export const jsonText = (value: unknown): string =>
  `${withNumbersOnOneLine(JSON.stringify(value, null, 2))}\n`

const NUMBERS = String.raw`\[[^[\]{}"]*\]`
/** An array of numbers, or one of such arrays. */
const NUMBER_ARRAY = new RegExp(String.raw`\[\s*${NUMBERS}(?:,\s*${NUMBERS})*\s*\]|${NUMBERS}`, 'g')

/** Class counts and neurons of a ledger take a line each. Only line ends go, and no string has any. */
function withNumbersOnOneLine(json: string): string {
  return json.replace(NUMBER_ARRAY, (array) => array.replace(/,\n\s*/g, ', ').replace(/\n\s*/g, ''))
}
