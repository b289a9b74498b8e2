"""Neuron Transplantation in plain PyTorch, the steps of `fuse_ensemble`: the whole concatenation is built, its
neurons are scored as Torch-Pruning's MagnitudeImportance(p=2) does, and what is pruned is cut out by indexing.

Not in it, so that it is faster than the reference: Torch-Pruning's forward pass to trace the network, its search for
groups of layers that belong together, its lists of indices one number at a time, and its checks."""
import torch
from torch import nn
from networks import dense, linears

def concatenate(parents):
    """One network of all parents side by side, whose logits are the mean of theirs."""
    layers = list(zip(*map(linears, parents)))
    bias, last = layers[0][0].bias is not None, len(layers) - 1
    widths = [sum(layer.out_features for layer in of) for of in layers[:-1]]
    wide = dense([layers[0][0].in_features, *widths, layers[last][0].out_features], bias)
    for index, (own, target) in enumerate(zip(layers, linears(wide))):
        target.weight.data.zero_()
        if bias: target.bias.data.zero_()
        row, column, inputs = 0, 0, sum(layer.in_features for layer in own)
        for layer in own:
            share = layer.in_features / inputs if index == last else 1
            rows, columns = slice(row, row + layer.out_features), slice(column, column + layer.in_features)
            target.weight.data[rows, columns] += layer.weight.data * share
            if bias: target.bias.data[rows] += layer.bias.data * share
            if index < last: row += layer.out_features
            if index > 0: column += layer.in_features
    return wide

def importances(network):
    """Of each hidden layer's neurons: the mean of both sums of squares, divided by the layer's mean."""
    layers, scores = linears(network), []
    for layer, reader in zip(layers, layers[1:]):
        sums = layer.weight.data.pow(2).sum(1) + reader.weight.data.pow(2).sum(0)
        scores.append(sums / 2 / (sums / 2).mean())
    return scores

def prune(network, scores, counts):
    """Keeps the `counts` largest neurons of each hidden layer, from the last one to the first; returns which."""
    layers, kept = linears(network), []
    for index in reversed(range(len(scores))):
        score, layer, reader = scores[index], layers[index], layers[index + 1]
        lowest = torch.topk(score, len(score) - counts[index], largest=False).indices
        is_kept = torch.ones(len(score), dtype=torch.bool)
        is_kept[lowest] = False
        keep = is_kept.nonzero().flatten()
        layer.weight = nn.Parameter(layer.weight.data.index_select(0, keep))
        if layer.bias is not None: layer.bias = nn.Parameter(layer.bias.data.index_select(0, keep))
        reader.weight = nn.Parameter(reader.weight.data.index_select(1, keep))
        layer.out_features = reader.in_features = len(keep)
        kept.insert(0, keep)
    return kept

def transplant(parents):
    """The fused network, as wide as the first parent."""
    wide = concatenate(parents)
    prune(wide, importances(wide), [layer.out_features for layer in linears(parents[0])[:-1]])
    return wide

def transplant_hierarchical(parents):
    """As merge sort merges: both halves first, down to two or three networks."""
    if len(parents) < 4: return transplant(parents)
    half = len(parents) // 2
    return transplant([transplant_hierarchical(parents[:half]), transplant_hierarchical(parents[half:])])
