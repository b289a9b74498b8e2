"""KF linear in plain PyTorch, the steps of NI's reference: W = pinv([X, 1]) A for all parents' neurons, the best of ten
farthest-point starts of Lloyd's algorithm, and score-weighted means of the weights in a cluster.

As in the reference, each step of a start takes the distances to all centres so far anew, and clusters are averaged
one after the other. With `keeps_distances` a start keeps the distance to the nearest centre and takes those to the
new one alone, which gives the same centres for a fraction of the work: what a careful reference would cost."""
import numpy as np
import torch
from torch import nn
from networks import dense, linears

TRIES, LOOK_BACK, LEAST_GAIN = 10, 3, 0.05

def preactivations(network, x):
    """What each Linear reads, and gives."""
    read, given = [], []
    for layer in network:
        if isinstance(layer, nn.Linear): read.append(x)
        x = layer(x)
        if isinstance(layer, nn.Linear): given.append(x)
    return read, given

def start(fit, activations, width, keeps_distances):
    """A neuron of the first parent by chance, then the neuron farthest from its nearest centre, again and again."""
    centres = [fit(int(np.random.randint(low=0, high=width)))]
    nearest = None
    while len(centres) < width:
        if keeps_distances:
            distances = torch.cdist(centres[-1][None], activations.T)[0]
            nearest = distances if nearest is None else torch.minimum(nearest, distances)
        else:
            nearest = torch.cdist(torch.stack(centres), activations.T).min(0).values
        centres.append(fit(int(nearest.argmax())))
    return torch.cdist(torch.stack(centres), activations.T).min(0).indices

def means(assignment, width, w, scores):
    """Score-weighted mean of the weights in each cluster, [cluster, input]."""
    members = [[] for _ in range(width)]
    for neuron, cluster in enumerate(assignment.tolist()): members[cluster].append(neuron)
    return torch.stack([(scores[own] * w[:, own]).sum(1) / scores[own].sum() for own in members])

def fill_empty(assignment, width, scores, distances):
    for cluster in range(width):
        if cluster in assignment: continue
        farthest = (scores * distances).argmax()
        assignment[farthest] = cluster
        distances[farthest] = 0

def settle(assignment, width, distances_of, scores):
    """Lloyd's steps until nothing moves, or three of them gain less than a twentieth."""
    before, costs = torch.full_like(assignment, -1), []
    while (before != assignment).any():
        before = assignment
        distances, assignment = distances_of(assignment).min(0)
        cost = float((scores * distances).sum())
        if len(costs) >= LOOK_BACK and cost >= costs[-LOOK_BACK] * (1 - LEAST_GAIN): break
        costs.append(cost)
        fill_empty(assignment, width, scores, distances)
    return assignment

def cluster(x, w, activations, scores, width, keeps_distances):
    """The cluster of each neuron, and sum_i s_i * distance to the nearest centre."""
    def distances_of(assignment): return torch.cdist(means(assignment, width, w, scores) @ x.T, activations.T)
    best, least = None, float('inf')
    for _ in range(TRIES):
        assignment = start(lambda neuron: x @ w[:, neuron], activations, width, keeps_distances)
        assignment = settle(assignment, width, distances_of, scores)
        cost = float((scores * distances_of(assignment).min(0).values).sum())
        if cost < least: best, least = assignment, cost
    return best, least

@torch.no_grad()
def kf_linear(parents, x, scores=None, keeps_distances=False):
    """The fused network, and [assignment, objective] of each layer.

    scores: [parent][layer][neuron]; by default all alike, and then divided by their sum"""
    layers = linears(parents[0])
    if scores is None:
        scores = [[torch.full((layer.out_features,), 1 / layer.out_features) for layer in layers] for _ in parents]
    given = [preactivations(parent, x)[1] for parent in parents]
    has_bias = layers[0].bias is not None
    fused = dense([layers[0].in_features, *(layer.out_features for layer in layers)], has_bias)
    choices = []
    for index, layer in enumerate(linears(fused)):
        inputs = preactivations(fused, x)[0][index]
        if has_bias: inputs = torch.cat([inputs, torch.ones(len(inputs), 1)], 1)
        activations, width = torch.cat([of[index] for of in given], 1), layer.out_features
        w = torch.linalg.pinv(inputs) @ activations
        weighed = torch.cat([of[index] for of in scores])
        is_last = index == len(layers) - 1
        if is_last: assignment, objective = torch.arange(width).repeat(len(parents)), None
        else: assignment, objective = cluster(inputs, w, activations, weighed, width, keeps_distances)
        choices.append((assignment, objective))
        solved = means(assignment, width, w, weighed)
        layer.weight.copy_(solved[:, :layer.in_features])
        if has_bias: layer.bias.copy_(solved[:, -1])
    return fused, choices
