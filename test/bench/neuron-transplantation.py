"""The reference's way beside which neuron-transplantation.bench.ts is measured:
`python3 neuron-transplantation.py PARENTS RUNS IN HIDDEN... OUT` concatenates dense networks and prunes the
result with Torch-Pruning's MagnitudePruner, and prints the milliseconds of the first call and of RUNS
later ones as a JSON array."""
import json, sys, time
import torch
import torch_pruning as tp
from torch import nn

count, runs, *sizes = map(int, sys.argv[1:])

def dense(sizes):
    layers = [layer for i, o in zip(sizes, sizes[1:]) for layer in (nn.Linear(i, o), nn.ReLU())]
    return nn.Sequential(*layers[:-1])

def concatenate(parents):
    k = len(parents)
    wide = dense([sizes[0], *(k * width for width in sizes[1:-1]), sizes[-1]])
    for index, layer in enumerate(wide):
        if not isinstance(layer, nn.Linear): continue
        parts = [parent[index] for parent in parents]
        if index == 0: layer.weight.data = torch.cat([part.weight for part in parts])
        elif index < len(wide) - 1: layer.weight.data = torch.block_diag(*(part.weight for part in parts))
        else: layer.weight.data = torch.cat([part.weight / k for part in parts], dim=1)
        biases = [part.bias for part in parts]
        layer.bias.data = torch.cat(biases) if index < len(wide) - 1 else sum(biases) / k
    return wide

def fuse(parents):
    with torch.no_grad(): wide = concatenate(parents)
    tp.pruner.MagnitudePruner(
        wide, torch.randn(1, sizes[0]), importance=tp.importance.MagnitudeImportance(p=2),
        pruning_ratio=1 - 1 / len(parents), ignored_layers=[wide[-1]],
    ).step()
    return wide

parents = [dense(sizes) for _ in range(count)]
times = []
for _ in range(runs + 1):
    start = time.perf_counter()
    fuse(parents)
    times.append((time.perf_counter() - start) * 1000)
print(json.dumps([round(time, 3) for time in times]))
