import { describe, expect, it } from 'vitest'
import { showInstallProgress } from '../../../../shared/engine/install-progress.ts'
import { fakeStream } from '../../../support/fake-stream.ts'

describe('showInstallProgress', () => {
  it('should write one line a phase where there is no terminal', () => {
    const stream = fakeStream()
    const show = showInstallProgress(stream)
    show({ phase: 'download', done: 0 })
    show({ phase: 'download', done: 0.5 })
    show({ phase: 'unpack' })
    show({ phase: 'compile' })
    show({ phase: 'done', done: 1 })
    expect(stream.take().split('\n')).toEqual([
      'Downloading TensorFlow (274 MB)',
      'Unpacking TensorFlow',
      'Compiling the native addon',
      'The native engine is ready',
      '',
    ])
  })
})
