"""The reference's side of reference.bench.ts: `python3 serve.py TASK FILE` loads the networks and images in FILE, says
`ready`, then runs TASK once for each line on stdin and prints its milliseconds, by the clock and of the processor, as
JSON. A line that is not empty names a file to write the result to."""
import json, sys, time
import numpy as np
import torch
from conductance import conductance
from kf_linear import kf_linear
from networks import parents_of, read_tensors, tensors_of, write_tensors
from transplant import transplant

task, file = sys.argv[1:]
tensors = read_tensors(file)
parents, x, y = parents_of(tensors), tensors['x'], tensors['y'].long()

def scores_of(network): return {f'scores.{i}': of for i, of in enumerate(conductance(network, x, y))}
def transplanted(): return tensors_of(transplant(parents))
def clustered(keeps_distances): return tensors_of(kf_linear(parents, x, keeps_distances=keeps_distances)[0])

TASKS = {
    'conductance': lambda: scores_of(parents[0]),
    'nt': transplanted,
    'kf-linear': lambda: clustered(False),
    'kf-linear, distances kept': lambda: clustered(True),
}
np.random.seed(18)
print('ready', flush=True)
for line in sys.stdin:
    wall, cpu = time.perf_counter(), time.process_time()
    result = TASKS[task]()
    times = {'wall': (time.perf_counter() - wall) * 1000, 'cpu': (time.process_time() - cpu) * 1000}
    if line.strip(): write_tensors(line.strip(), result)
    print(json.dumps(times), flush=True)
