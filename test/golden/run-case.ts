import { checkGitRebasin, checkOtFusion } from './checks/alignment.ts'
import { checkAttribution } from './checks/attribution.ts'
import { checkKfHead, checkKfTargets } from './checks/kf-targets.ts'
import { checkLeastSquares } from './checks/least-squares.ts'
import { checkNeuronTransplantation } from './checks/neuron-transplantation.ts'
import type { Comparison } from './compare.ts'
import { type Fixture, loadFixture } from './fixture.ts'

type Check = (fixture: Fixture) => Promise<Comparison[]>

/** The check of each section, by how the names of its cases begin. */
const CHECKS: Readonly<Record<string, Check>> = {
  a_importance: checkAttribution,
  b_nt: checkNeuronTransplantation,
  c_lsfusion: checkLeastSquares,
  c_kf: checkLeastSquares,
  d_gitrebasin: checkGitRebasin,
  d_otfusion: checkOtFusion,
  e_kf_targets: checkKfTargets,
  e_kf_head: checkKfHead,
}

/** What a reference was given; every other tensor of a fixture is what it gave. */
const GIVEN = /^(parents|model|acts|scores|logits)\.|^(X|X_eval|y|percentages|prediction)$/

/** WebGPU sums in float32 and in an order of its own. */
const LEAST_ON_WEBGPU = 1e-3

export interface CaseResult {
  readonly name: string
  readonly comparisons: readonly Comparison[]
  /** Tensors that the reference gave and no check looked at. */
  readonly uncompared: readonly string[]
  /** Why the case could not be run to its end. */
  readonly problem?: string
}

export const hasCheck = (name: string): boolean => checkOf(name) !== null

export const isMiss = ({ error, tolerance }: Comparison): boolean => !(error <= tolerance)

/** Runs one case; whatever goes wrong with it is in the result. @param engine its name */
export async function runCase(name: string, engine: string, folder?: string): Promise<CaseResult> {
  let expected: string[] = []
  try {
    const fixture = loadFixture(name, folder)
    expected = [...fixture.tensors.keys()].filter((tensor) => !GIVEN.test(tensor))
    const check = checkOf(name)
    if (check === null) throw new TypeError('there is no check for it')
    const comparisons = (await check(fixture)).map((of) => ({
      ...of,
      // What is exact stays so.
      tolerance:
        engine === 'webgpu' && of.tolerance > 0
          ? Math.max(of.tolerance, LEAST_ON_WEBGPU)
          : of.tolerance,
    }))
    const compared = new Set(comparisons.map(({ tensor }) => tensor))
    const uncompared = expected.filter((tensor) => !compared.has(tensor))
    return { name, comparisons, uncompared }
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    return { name, comparisons: [], uncompared: expected, problem }
  }
}

function checkOf(name: string): Check | null {
  const section = Object.keys(CHECKS).find((prefix) => name.startsWith(prefix))
  return section === undefined ? null : CHECKS[section]!
}
