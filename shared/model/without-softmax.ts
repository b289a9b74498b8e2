interface Layer {
  readonly class_name: string
  readonly config: { readonly name?: string; readonly activation?: string }
}
interface Topology {
  readonly class_name: string
  readonly config: {
    /** Absent in an old chain, whose config is the list itself. */
    readonly layers?: readonly Layer[]
    /** Of a graph: [layer, node, tensor] of each output. */
    readonly output_layers?: readonly (readonly [string, number, number])[]
  }
}

/**
 * The same network without the softmax of its last layer, which gives logits then: most models of Keras end in
 * one, and those of Graft do not.
 *
 * @param text a topology, as `topologyIn` gives it
 * @returns `text` itself where there is none; a softmax in a layer of its own stays, unless it ends a chain
 */
export function withoutSoftmax(text: string): string {
  const topology = JSON.parse(text) as Topology
  const { layers, output_layers: outputs } = topology.config
  const last = outputs === undefined ? layers?.at(-1) : layers?.find(named(outputs[0]?.[0]))
  if (layers === undefined || last === undefined) return text
  const isSoftmax = last.class_name === 'Softmax' || last.config.activation === 'softmax'
  if (!isSoftmax) return text
  const isAlone = last.class_name === 'Softmax' || last.class_name === 'Activation'
  if (isAlone && outputs !== undefined) return text
  const linear = { ...last, config: { ...last.config, activation: 'linear' } }
  const changed = layers.flatMap((layer) => {
    if (layer !== last) return [layer]
    return isAlone ? [] : [linear]
  })
  return JSON.stringify({ ...topology, config: { ...topology.config, layers: changed } })
}

const named =
  (name: string | undefined) =>
  ({ config }: Layer): boolean =>
    config.name === name
