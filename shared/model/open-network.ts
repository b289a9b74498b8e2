import type { DataShape } from './architecture.ts'
import { parseArchitecture } from './architectures.ts'
import { emptyModel } from './build-model.ts'
import type { Network } from './network.ts'
import { openTopology } from './topology.ts'
import { weightSpecs } from './weight-specs.ts'

/** What a run's settings say of its network. */
export interface NetworkSettings {
  /** A spec, or with `topology` a name. */
  readonly model: string
  /** As {@link openTopology} reads it. */
  readonly topology?: string | undefined
}

/**
 * @throws GraftError GRAFT_ARCHITECTURE_INVALID for another spec, or a network that does not fit the data;
 *   what {@link openTopology} throws
 */
export async function openNetwork(
  { model, topology }: NetworkSettings,
  data: DataShape,
): Promise<Network> {
  return topology === undefined ? networkOf(model, data) : openTopology(model, topology, data)
}

/** @throws GraftError GRAFT_ARCHITECTURE_INVALID for another spec, or one that doesn't fit the data */
export function networkOf(spec: string, data: DataShape): Network {
  const architecture = parseArchitecture(spec, data)
  return {
    name: architecture.name,
    architecture,
    weights: weightSpecs(architecture),
    build: () => emptyModel(architecture),
  }
}
