"""The reference's side of reference.bench.ts: `python3 serve.py TASK FILE` loads the networks and images in FILE and
runs TASK as often as it is asked to: answer.py says how."""
import sys
import numpy as np
import torch
from answer import answer
from conductance import conductance
from kf_linear import kf_linear
from networks import parents_of, read_tensors, tensors_of
from transplant import transplant, transplant_hierarchical

task, file = sys.argv[1:]
tensors = read_tensors(file)
parents, x, y = parents_of(tensors), tensors['x'], tensors['y'].long()

def scores_of(network): return {f'scores.{i}': of for i, of in enumerate(conductance(network, x, y))}
def clustered(keeps_distances): return tensors_of(kf_linear(parents, x, keeps_distances=keeps_distances)[0])

TASKS = {
    'conductance': lambda: scores_of(parents[0]),
    'nt': lambda: tensors_of(transplant(parents)),
    'nt, hierarchical': lambda: tensors_of(transplant_hierarchical(parents)),
    'kf-linear': lambda: clustered(False),
    'kf-linear, distances kept': lambda: clustered(True),
}
np.random.seed(18)
answer(TASKS[task])
