import { describe, expect, it } from 'vitest'
import type { Architecture } from '../../../../shared/model/architecture.ts'
import { parseArchitecture } from '../../../../shared/model/architectures.ts'
import { matchTorchTensors } from '../../../../shared/model/match-torch-tensors.ts'
import { torchName, torchTensors } from '../../../../shared/model/torch-tensors.ts'
import { sizeOf, type NamedTensor } from '../../../../shared/model/weights.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'

const IMAGES = { inputShape: [32, 32, 3], numClasses: 3 }

describe('matchTorchTensors', () => {
  it.each([
    { spec: 'vgg11:2', rename: torchvisionVgg },
    { spec: 'vgg11-bn:2', rename: torchvisionVgg },
    { spec: 'resnet18:2', rename: kuangliuResnet },
    { spec: 'vit:32x12', rename: torchvisionVit },
  ])('should find the tensors of $spec under names of other code', ({ spec, rename }) => {
    const architecture = parseArchitecture(spec, IMAGES)
    const file = fileOf(architecture, rename)
    expect(new Set(file.map(({ name }) => name)).size).toBe(file.length)
    expect(matched(file, architecture)).toEqual(file)
    // As the safetensors library writes them.
    expect(matched(sorted(file), architecture)).toEqual(file)
  })

  it('should go by names when they are its own, whatever their order', () => {
    const architecture = parseArchitecture('resnet18:2', IMAGES)
    const file = fileOf(architecture, (name) => name)
    expect(matched(createRng('7').shuffle(file), architecture)).toEqual(file)
  })

  it('should take the order of the file when the names say nothing', () => {
    const architecture = parseArchitecture('mlp:3072-5-4-3', IMAGES)
    const names: Record<string, string> = { fc1: 'stem', fc2: 'body', fc3: 'exit' }
    const file = fileOf(architecture, (name) => name.replace(/^fc\d/, (layer) => names[layer]!))
    expect(matched(file, architecture)).toEqual(file)
  })

  it('should refuse to guess when two orders fit', () => {
    const architecture = parseArchitecture('mlp:3072-5-5-5-3', IMAGES)
    const names: Record<string, string> = { fc1: 'a', fc2: 'm.2', fc3: 'm.1', fc4: 'z' }
    const file = fileOf(architecture, (name) => name.replace(/^fc\d/, (layer) => names[layer]!))
    expect(() => matched(file, architecture)).toThrow(
      expect.objectContaining({
        code: 'GRAFT_SHAPE_MISMATCH',
        message: expect.stringContaining(
          'The file fits mlp:3072-5-5-5-3 in two orders: as fc2 it has m.2 by place and m.1 by name.',
        ),
      }),
    )
  })

  it('should say what is missing', () => {
    const architecture = parseArchitecture('vgg11-bn:2', IMAGES)
    const file = fileOf(architecture, torchvisionVgg)
    expect(() => matched(file.slice(1), architecture)).toThrow('The file has 49 tensors')
  })

  it('should say which kind of layer is missing', () => {
    const architecture = parseArchitecture('mlp:3072-3', IMAGES)
    const conv = ['conv.weight', 'conv.bias'].map((name, i) => ({
      name,
      shape: i === 0 ? [3, 1, 1, 1] : [3],
      data: new Float32Array(3),
    }))
    expect(() => matched(conv, architecture)).toThrow(
      'The file has 0 dense layers, mlp:3072-3 has 1.',
    )
  })

  it('should say which shape differs when no order fits', () => {
    const architecture = parseArchitecture('mlp:3072-5-4-3', IMAGES)
    const wider = parseArchitecture('mlp:3072-5-6-3', IMAGES)
    const file = fileOf(wider, (name) => name.replace('fc', 'net.'))
    expect(() => matched(file, architecture)).toThrow(
      'Weight 0 is net.2.weight [6,5], not net.2.weight [4,5].',
    )
  })
})

// Helpers

function matched(file: readonly NamedTensor[], architecture: Architecture): NamedTensor[] {
  return matchTorchTensors(file, torchTensors(architecture), architecture.name)
}

/** A state dict of this network whose tensors have other names. */
function fileOf(architecture: Architecture, rename: (name: string) => string): NamedTensor[] {
  return torchTensors(architecture).map((tensor) => ({
    name: rename(torchName(tensor)),
    shape: tensor.shape,
    data: new Float32Array(sizeOf(tensor.shape)),
  }))
}

function sorted(file: readonly NamedTensor[]): NamedTensor[] {
  return file.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** features.0, features.1, ... with places for activations and poolings between them. */
function torchvisionVgg(name: string): string {
  return name
    .replace(/^conv(\d)/, (_, conv: string) => `features.${4 * Number(conv) - 4}`)
    .replace(/^bn(\d)/, (_, conv: string) => `features.${4 * Number(conv) - 3}`)
    .replace(/^fc/, 'classifier')
}

/** As in github.com/kuangliu/pytorch-cifar. */
function kuangliuResnet(name: string): string {
  return name.replace('downsample', 'shortcut').replace(/^fc/, 'linear')
}

function torchvisionVit(name: string): string {
  return name
    .replace(/^norm/, 'encoder.ln')
    .replace(/^blocks\.(\d+)/, 'encoder.layers.encoder_layer_$1')
    .replace(/^patch_embed\.proj/, 'conv_proj')
    .replace(/^pos_embed/, 'encoder.pos_embedding')
    .replace(/\.norm(\d)/, '.ln_$1')
    .replace('.attn', '.self_attention')
    .replace('.fc1', '.0')
    .replace('.fc2', '.3')
    .replace(/^head/, 'heads.head')
}
