"""Dense networks of PyTorch, and safetensors files to hand them over in."""
import json, struct
import torch
from torch import nn

DTYPES = {'F32': torch.float32, 'I32': torch.int32}

def read_tensors(path):
    with open(path, 'rb') as file:
        size, = struct.unpack('<Q', file.read(8))
        header, data = json.loads(file.read(size)), bytearray(file.read())
    header.pop('__metadata__', None)
    def tensor(dtype, shape, data_offsets):
        start, end = data_offsets
        return torch.frombuffer(data[start:end], dtype=DTYPES[dtype]).reshape(shape)
    return {name: tensor(**entry) for name, entry in header.items()}

def write_tensors(path, tensors):
    header, blocks, at = {}, [], 0
    for name, tensor in tensors.items():
        block = tensor.detach().float().contiguous().numpy().tobytes()
        header[name] = {'dtype': 'F32', 'shape': list(tensor.shape), 'data_offsets': [at, at + len(block)]}
        blocks.append(block)
        at += len(block)
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as file: file.write(struct.pack('<Q', len(text)) + text + b''.join(blocks))

def dense(sizes, bias=True):
    """Flatten, then Linear and ReLU in turn, the last Linear without one; with PyTorch's random initial weights."""
    layers = [layer for i, o in zip(sizes, sizes[1:]) for layer in (nn.Linear(i, o, bias), nn.ReLU())]
    return nn.Sequential(nn.Flatten(), *layers[:-1])

def linears(network): return [layer for layer in network if isinstance(layer, nn.Linear)]

def network_of(tensors, prefix):
    """The network whose layers are called `<prefix>fc1`, `<prefix>fc2`, ... in a file."""
    weights = []
    while f'{prefix}fc{len(weights) + 1}.weight' in tensors:
        weights.append(tensors[f'{prefix}fc{len(weights) + 1}.weight'])
    biases = [tensors.get(f'{prefix}fc{i + 1}.bias') for i in range(len(weights))]
    network = dense([weights[0].shape[1], *(len(weight) for weight in weights)], biases[0] is not None)
    with torch.no_grad():
        for layer, weight, bias in zip(linears(network), weights, biases):
            layer.weight.copy_(weight)
            if bias is not None: layer.bias.copy_(bias)
    return network

def tensors_of(network):
    named = {}
    for i, layer in enumerate(linears(network)):
        named[f'fc{i + 1}.weight'] = layer.weight
        if layer.bias is not None: named[f'fc{i + 1}.bias'] = layer.bias
    return named

def parents_of(tensors):
    prefixes = sorted({name.split('fc')[0] for name in tensors if name.startswith('parents.')})
    return [network_of(tensors, prefix) for prefix in prefixes]
