"""Checks this folder's PyTorch code against the golden fixtures, which the papers' own code made, so that its time is
the time of the same computation: `python3 verify.py [FOLDER]`. Prints what it compared, and exits with 1 on a miss."""
import pathlib, sys
import numpy as np
import torch
from conductance import conductance
from kf_linear import kf_linear
from networks import linears, network_of, parents_of, read_tensors, tensors_of
from transplant import concatenate, importances, prune, transplant_hierarchical

folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else 'test/golden/fixtures')
misses = 0

def report(case, what, error, tolerance):
    global misses
    misses += not error <= tolerance
    print(f'{case:20} {what:44} {error:9.1e}  allowed {tolerance:7.1e}  {"ok" if error <= tolerance else "MISS"}')

def relative(got, wanted): return float((got.detach() - wanted).abs().max() / wanted.abs().max())
def differing(got, wanted): return int((got != wanted).sum())

@torch.no_grad()
def check_transplant(case, variant):
    tensors = read_tensors(folder / f'{case}.safetensors')
    parents, prefix = parents_of(tensors), f'expected.upfront.{variant}.'
    wide = concatenate(parents)
    concatenated = tensors_of(wide)
    report(case, 'concatenation', max(relative(of, tensors[f'expected.concat.{name}']) for name, of in concatenated.items()), 1e-6)
    report(case, 'its logits', relative(wide(tensors['X']), tensors['expected.concat_logits']), 1e-4)
    scores, names = importances(wide), [f'fc{i + 1}' for i in range(len(linears(wide)) - 1)]
    report(case, 'importances', max(relative(of, tensors[f'{prefix}importance.{name}']) for of, name in zip(scores, names)), 1e-4)
    kept = prune(wide, scores, [len(tensors[f'{prefix}kept_neuron.{name}']) for name in names])
    wrong = 0
    for of, layer, name in zip(kept, linears(parents[0]), names):
        wrong += differing(of // layer.out_features, tensors[f'{prefix}kept_model.{name}'])
        wrong += differing(of % layer.out_features, tensors[f'{prefix}kept_neuron.{name}'])
    report(case, f'neurons kept, {variant}', wrong, 0)
    report(case, 'fused weights', max(relative(of, tensors[f'{prefix}fused.{name}']) for name, of in tensors_of(wide).items()), 1e-6)
    report(case, 'fused logits', relative(wide(tensors['X']), tensors[f'{prefix}fused_logits']), 1e-4)

def check_hierarchical(case):
    tensors = read_tensors(folder / f'{case}.safetensors')
    fused = tensors_of(transplant_hierarchical(parents_of(tensors)))
    report(case, 'fused weights, hierarchical', max(relative(of, tensors[f'expected.upfront.fused.{name}']) for name, of in fused.items()), 1e-6)

def check_conductance(case):
    tensors = read_tensors(folder / f'{case}.safetensors')
    scores = conductance(network_of(tensors, 'model.'), tensors['X'], tensors['y'])
    for i, of in enumerate(scores): report(case, f'conductance of fc{i + 1}', relative(of, tensors[f'expected.conductance.fc{i + 1}.pre']), 1e-3)

def check_kf_linear(case, method, keeps_distances):
    tensors = read_tensors(folder / f'{case}.safetensors')
    parents, prefix = parents_of(tensors), f'expected.kf.{method}.'
    scores = [[tensors[f'{prefix}scores.{k}.fc{i + 1}'] for i in range(len(linears(parent)))] for k, parent in enumerate(parents)]
    np.random.seed(18)
    fused, choices = kf_linear(parents, tensors['X'], scores, keeps_distances)
    of = f'{method}, distances kept' if keeps_distances else method
    report(case, f'clusters, {of}', sum(differing(a, tensors[f'{prefix}assignment.fc{i + 1}']) for i, (a, _) in enumerate(choices)), 0)
    report(case, f'fused weights, {of}', max(relative(w, tensors[f'{prefix}fused.{name}']) for name, w in tensors_of(fused).items()), 1e-2)
    with torch.no_grad(): logits = fused(tensors['X_eval'])
    report(case, f'logits of unseen images, {of}', relative(logits, tensors[f'{prefix}fused_logits_eval']), 1e-3)

for case, variants in {'b_nt_mlp2': ['as_coded'], 'b_nt_mlp2_nobias': ['as_coded'], 'b_nt_mlp3': ['as_coded', 'exact_width']}.items():
    for variant in variants: check_transplant(case, variant)
check_hierarchical('b_nt_hier4')
check_conductance('a_importance_mlp')
for method in ('uniform', 'conductance'):
    for keeps_distances in (False, True): check_kf_linear('c_kf_mlp3', method, keeps_distances)
print(f'{misses} missed' if misses else 'all as the papers have it')
sys.exit(misses > 0)
