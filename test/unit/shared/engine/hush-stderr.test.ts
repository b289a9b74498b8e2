import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const MODULE = resolve(import.meta.dirname, '../../../../dist/shared/engine/hush-stderr.js')
const notLinux = process.platform === 'linux' ? null : 'descriptors are opened again on Linux only'

describe.skipIf(notLinux !== null)('hushStderr', () => {
  it('should drop what is written to a pipe meanwhile, and nothing else', () => {
    expect(run('return 7', '2>&1 | cat')).toBe('before\nresult 7\nafter\n')
  })

  it('should leave a file alone, where others may write through the same handle', () => {
    const shown = run('return 7', '; echo end; } >"$f" 2>&1; cat "$f"; rm "$f"', 'f="$(mktemp)"; {')
    expect(shown).toBe('before\nnoise\nresult 7\nafter\nend\n')
  })

  it('should give stderr back when loading fails', () => {
    expect(run('throw new Error("broken")', '2>&1 | cat')).toBe('before\nafter\n')
  })

  it('should still load where stderr is a socket, which cannot be opened again', () => {
    // Node gives its children sockets for pipes.
    const { stdout } = spawnSync(process.execPath, words('return 7'), { encoding: 'utf8' })
    expect(stdout).toBe('result 7\n')
  })
})

// Helpers

function words(action: string): string[] {
  const script = `
    const { hushStderr } = await import(${JSON.stringify(MODULE)})
    const { writeSync } = await import('node:fs')
    writeSync(2, 'before\\n')
    try {
      const result = hushStderr(() => { writeSync(2, 'noise\\n'); ${action} })
      writeSync(1, 'result ' + result + '\\n')
    } catch {}
    writeSync(2, 'after\\n')`
  return ['--input-type=module', '--eval', script]
}

/** What a shell shows that runs the script with these redirections. */
function run(action: string, redirections: string, before = ''): string {
  const command = `${before} "$0" "$@" ${redirections}`
  const { stdout } = spawnSync('sh', ['-c', command, process.execPath, ...words(action)], {
    encoding: 'utf8',
  })
  return stdout
}
