import type { Layout } from '../../shared/model/layouts.ts'
import type * as tf from '@tensorflow/tfjs'
import type { Architecture } from '../../shared/model/architecture.ts'
import { headGroup, type NeuronGraph } from '../../shared/model/neuron-graph.ts'
import { assertFinite } from '../../shared/model/weights.ts'
import { readLayersModel } from '../../shared/model-files/layers-model-folder.ts'
import { createRng } from '../../shared/numeric/rng.ts'
import { countsOf, type Trained } from './class-counts.ts'
import { type FuseParent, namedAs } from './fuse.ts'
import { toOurLayout } from './layout.ts'
import { type ModelPlan, planOf } from './model-plan.ts'
import { naming } from '../../shared/naming.ts'
import type { ParentFile } from './parent-files.ts'

interface CohortInput {
  readonly files: readonly ParentFile[]
  readonly layout: Layout
  /** Of the parents, but for hidden widths. */
  readonly plan: ModelPlan
  /** Of the fused network. */
  readonly graph: NeuronGraph
}

export interface Cohort {
  /** Named by their files, in the order of these. */
  readonly parents: readonly FuseParent[]
  readonly counts: readonly Trained[]
  /** Whether every file says what it was trained on. */
  readonly isCounted: boolean
  /** @returns the parent's own network, which the caller owns; null when nobody knows how to build it */
  readonly open: (file: string) => Promise<tf.LayersModel | null>
}

/**
 * Understands the files of parents.
 * @throws GraftError GRAFT_SHAPE_MISMATCH, GRAFT_NOT_FINITE, GRAFT_MODEL_FILE_INVALID,
 *   GRAFT_OPTION_INVALID, each naming the file
 */
export async function readCohort({ files, layout, plan, graph }: CohortInput): Promise<Cohort> {
  const { counts, isKnown } = countsOf(files, headGroup(graph).width)
  const own = new Map<string, Architecture | null>()
  const parents: FuseParent[] = []
  for (const [i, parent] of files.entries()) {
    const { weights, architecture } = await toOurLayout(parent, layout, plan)
    const { file, isFolder } = parent
    await naming(file, () => assertFinite(weights))
    own.set(file, architecture)
    parents.push({ id: file, weights: isFolder ? namedAs(weights, graph) : weights, ...counts[i]! })
  }
  const isFolder = new Set(files.flatMap((each) => (each.isFolder ? [each.file] : [])))
  return {
    parents,
    counts,
    isCounted: isKnown,
    async open(id: string): Promise<tf.LayersModel | null> {
      if (isFolder.has(id)) return readLayersModel(id)
      const architecture = own.get(id) ?? null
      return architecture && planOf(architecture).build(createRng(id))
    },
  }
}
