"""PyTorch beside which training-step.bench.ts is measured: `python3 training-step.py mlp|lenet|cnn [steps]`
prints the milliseconds of each training step
(batch 64, Adam, random inputs) after a warm-up, as a JSON array."""
import json, sys, time
import torch
from torch import nn

def conv(i, o, k, pad): return [nn.Conv2d(i, o, k, padding=pad), nn.ReLU(), nn.MaxPool2d(2)]
def dense(*sizes):
    layers = [layer for i, o in zip(sizes, sizes[1:]) for layer in (nn.Linear(i, o), nn.ReLU())]
    return [nn.Flatten(), *layers[:-1]]

networks = {
    'mlp': lambda: dense(784, 512, 512, 512, 10),
    'lenet': lambda: conv(1, 6, 5, 2) + conv(6, 16, 5, 0) + dense(400, 120, 84, 10),
    'cnn': lambda: conv(1, 32, 3, 1) + conv(32, 64, 3, 1) + dense(3136, 128, 10),
}
model = nn.Sequential(*networks[sys.argv[1]]())
steps = int(sys.argv[2]) if len(sys.argv) > 2 else 100
adam = torch.optim.Adam(model.parameters(), lr=1e-3)
x, y = torch.randn(64, 1, 28, 28), torch.randint(10, (64,))
times = []
for _ in range(steps + 10):
    start = time.perf_counter()
    adam.zero_grad()
    nn.functional.cross_entropy(model(x), y).backward()
    adam.step()
    times.append((time.perf_counter() - start) * 1000)
print(json.dumps([round(time, 3) for time in times[10:]]))
