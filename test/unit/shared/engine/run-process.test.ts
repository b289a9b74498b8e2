import { describe, expect, it } from 'vitest'
import { runProcess } from '../../../../shared/engine/run-process.ts'

describe('runProcess', () => {
  it('should give status and output of a program', async () => {
    const script = 'console.log(process.env.WORD); console.error("two"); process.exit(3)'
    const options = { environment: { WORD: 'one' } }
    const { status, output } = await runProcess(process.execPath, ['-e', script], options)
    expect(status).toBe(3)
    expect(output).toContain('one')
    expect(output).toContain('two')
  })

  it('should tell of a missing program as a result', async () => {
    const { status, output } = await runProcess('no-such-program-of-graft', [])
    expect(status).toBe(null)
    expect(output).toContain('ENOENT')
  })

  it('should end the program when the signal aborts', async () => {
    const controller = new AbortController()
    const script = 'console.log("ready"); setInterval(() => {}, 1000)'
    const running = runProcess(process.execPath, ['-e', script], {
      signal: controller.signal,
      onOutput: () => {
        controller.abort(new Error('stopped'))
      },
    })
    await expect(running).rejects.toThrow('stopped')
  })
})
