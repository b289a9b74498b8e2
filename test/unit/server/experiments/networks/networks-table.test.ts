import { describe, expect, it } from 'vitest'
import { networksTable } from '../../../../../server/experiments/networks/networks-table.ts'
import type { NetworkCase } from '../../../../../shared/protocol/networks-report.ts'

const CASE: NetworkCase = {
  model: 'resnet18:2',
  parameters: 1_250_000,
  parents: [0.25, 0.305],
  ensemble: 0.4,
  proxyAlone: 0.2,
  bestParentTuned: 0.31,
  methods: [
    { method: 'nt', fused: 0.1, tuned: 0.35, seconds: 1.26 },
    { method: 'kf-linear', fused: null, tuned: null, seconds: null, refused: 'Level a is two.' },
  ],
  trainingSeconds: 3,
}

describe('networksTable', () => {
  it('should show parents, controls and methods in percent, and the seconds of fusion', () => {
    const lines = networksTable([CASE]).split('\n')
    const of = (name: string) => lines.find((line) => line.includes(` ${name} `))
    expect(of('parents')).toContain('25.0 / 30.5')
    expect(of('ensemble')).toContain('40.0')
    expect(of('proxy set alone')).toContain('20.0')
    expect(of('best parent -> tuned')).toContain('30.5 -> 31.0')
    expect(of('nt')).toContain('10.0 -> 35.0 (1.3 s)')
  })

  it('should say why a method refuses', () => {
    expect(networksTable([CASE])).toContain('resnet18:2: kf-linear refuses. Level a is two.')
  })
})
