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
  const text = `${JSON.stringify(value, null, 2)}\n`
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
