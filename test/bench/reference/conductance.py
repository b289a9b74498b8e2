"""The steps of captum's LayerConductance in plain PyTorch, less captum's checks and hooks: 11 path points of a
Gauss-Legendre rule in one batch, a forward pass and a way back for each layer. Their weights are never used."""
import torch
from networks import linears

STEPS, BATCH = 10, 50
ALPHAS = [0.010885670926971514, 0.05646870011595234, 0.13492399721297532, 0.2404519353965941, 0.36522842202382755, 0.5,
          0.6347715779761725, 0.7595480646034058, 0.8650760027870247, 0.9435312998840477, 0.9891143290730284]

def layer_conductance(network, at, x, y):
    """Signed, [example, ...] as the output of `network[at]`."""
    path = torch.cat([alpha * x for alpha in ALPHAS]).requires_grad_()
    values = network[:at + 1](path)
    logits = network[at + 1:](values)
    picked = logits[torch.arange(len(path)), y.repeat(STEPS + 1)]
    gradient, = torch.autograd.grad(picked.sum(), values)
    steps = (values[len(x):] - values[:-len(x)]) * gradient[:-len(x)]
    return steps.reshape(STEPS, len(x), *values.shape[1:]).sum(0).detach()

def conductance(network, x, y):
    """Scores of each layer's neurons, one layer after the other, in batches, as the reference of NI takes them."""
    y, scores = y.long(), []
    for at in (list(network).index(layer) for layer in linears(network)):
        batches = range(0, len(x), BATCH)
        total = sum(layer_conductance(network, at, x[i:i + BATCH], y[i:i + BATCH]).abs().sum(0) for i in batches)
        scores.append(total / len(x) + 1e-8)
    return scores
