"""What attribution.bench.ts is measured beside: `python3 attribution.py mlp|lenet [repeats]` prints, as JSON, the
milliseconds that the papers' own way takes for the conductance of every layer on 400 random images, and what ran.
That way is captum's LayerConductance, one layer after the other, in batches of 50, with the magnitudes summed. Without
captum the same steps run in plain PyTorch, less captum's checks and hooks."""
import json, sys, time
import torch
from torch import nn
try:
    import captum
    from captum.attr import LayerConductance
except ImportError:
    captum = None

EXAMPLES, BATCH, STEPS = 400, 50, 10
ALPHAS = [0.010885670926971514, 0.05646870011595234, 0.13492399721297532, 0.2404519353965941, 0.36522842202382755, 0.5,
          0.6347715779761725, 0.7595480646034058, 0.8650760027870247, 0.9435312998840477, 0.9891143290730284]

def conv(i, o, k, pad): return [nn.Conv2d(i, o, k, padding=pad), nn.ReLU(), nn.MaxPool2d(2)]
def dense(*sizes):
    layers = [layer for i, o in zip(sizes, sizes[1:]) for layer in (nn.Linear(i, o), nn.ReLU())]
    return [nn.Flatten(), *layers[:-1]]

def plain_conductance(model, at, x, y):
    path = torch.cat([alpha * x for alpha in ALPHAS]).requires_grad_()
    values = model[:at + 1](path)
    logits = model[at + 1:](values)
    picked = logits[torch.arange(len(path)), y.repeat(STEPS + 1)]
    gradient, = torch.autograd.grad(picked.sum(), values)
    steps = (values[len(x):] - values[:-len(x)]) * gradient[:-len(x)]
    return steps.reshape(STEPS, len(x), *values.shape[1:]).sum(0)

def conductance(model, at, x, y):
    if captum is None: return plain_conductance(model, at, x, y).detach()
    return LayerConductance(model, model[at]).attribute(x, target=y, n_steps=STEPS).detach()

networks = {
    'mlp': lambda: dense(784, 256, 10),
    'lenet': lambda: conv(1, 6, 5, 2) + conv(6, 16, 5, 0) + dense(400, 120, 84, 10),
}
model = nn.Sequential(*networks[sys.argv[1]]())
layers = [at for at, module in enumerate(model) if isinstance(module, (nn.Linear, nn.Conv2d))]
x, y = torch.randn(EXAMPLES, 1, 28, 28), torch.randint(10, (EXAMPLES,))
times = []
for _ in range(int(sys.argv[2]) + 1 if len(sys.argv) > 2 else 6):
    start = time.perf_counter()
    for at in layers:
        total = sum(conductance(model, at, x[i:i + BATCH], y[i:i + BATCH]).abs().sum(0) for i in range(0, EXAMPLES, BATCH))
        scores = total.reshape(len(total), -1).sum(1) / EXAMPLES + 1e-8
    times.append((time.perf_counter() - start) * 1000)
name = f'captum {captum.__version__}' if captum else "captum's steps"
print(json.dumps({'reference': f'{name} on PyTorch {torch.__version__}', 'times': [round(time, 1) for time in times[1:]]}))
