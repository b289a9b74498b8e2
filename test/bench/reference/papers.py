"""The papers' own code with the protocol of answer.py: `GRAFT_PAPERS=FOLDER python3 papers.py TASK FILE`, where TASK is
conductance, nt, 'nt, hierarchical' or kf-linear. FOLDER holds clones of both papers' repositories:

    git clone https://github.com/masterbaer/neuron-transplantation
    git clone https://github.com/AndrewSpano/neuron-interpolation-model-fusion
    pip install torch numpy scipy torch-pruning captum

Loading FILE, importing the clones and building their networks comes before `ready`; a call that is timed runs what the
papers run, and its prints go nowhere. For conductance and kf-linear FILE's parents must have one hidden layer, as the
paper's MLPNet has. For 3, 5, 6, 7 and some more numbers of parents, fuse_ensemble keeps one neuron less in each hidden
layer than a parent has, by rounding."""
import contextlib, os, pathlib, sys
import numpy as np
import torch
from answer import answer
from networks import linears, parents_of, read_tensors, tensors_of

def use_clone(name):
    """Lets the modules of one clone be imported; each process uses one, as both name their modules without a prefix."""
    clone = pathlib.Path(os.environ.get('GRAFT_PAPERS', '')) / name
    if 'GRAFT_PAPERS' not in os.environ or not clone.is_dir():
        sys.exit(f'GRAFT_PAPERS must name a folder with a clone of {name}; see the top of papers.py.')
    sys.path.insert(0, str(clone))

def mlp_of(network):
    """The same network as the paper's MLPNet."""
    from models.mlp import MLPNet
    layers = linears(network)
    if len(layers) != 2: sys.exit(f'MLPNet has one hidden layer, but the parents have {len(layers) - 1}.')
    mlp = MLPNet(layers[0].in_features, *(layer.out_features for layer in layers), use_bias=layers[0].bias is not None)
    for own, layer in zip(layers_of(mlp), layers): own.load_state_dict(layer.state_dict())
    return mlp.eval()

def layers_of(mlp): return [named.layer for named in mlp.get_ordered_trainable_named_layers]

def conductance(parents, x, y):
    use_clone('neuron-interpolation-model-fusion')
    from utils.fusion_utils import compute_neuron_importance_scores as scores_of
    mlp = mlp_of(parents[0])
    layers = range(len(layers_of(mlp)))
    return lambda: {f'scores.{i}': scores_of('conductance', mlp, i, x, y, fusion_logic='layer') for i in layers}

def nt(parents, x, y): return transplanted(parents, x, 'fuse_ensemble')

def nt_hierarchical(parents, x, y): return transplanted(parents, x, 'fuse_ensemble_hierarchical')

def transplanted(parents, x, function):
    use_clone('neuron-transplantation')
    from fusion_methods import neuron_transplantation
    fuse = getattr(neuron_transplantation, function)
    # One sample, which is enough says fuse_ensemble. Torch-Pruning gives the network its rows as arguments, so that the
    # first, [1, pixels], must do as a batch.
    example = x[:1].reshape(1, 1, -1)
    return lambda: tensors_of(fuse(parents, example))

def kf_linear(parents, x, y):
    use_clone('neuron-interpolation-model-fusion')
    from fusion_algorithms.hf_kf import LSFusion
    mlps = [mlp_of(parent) for parent in parents]
    # As fuse_kf_func of the paper's experiments has them for uniform scores.
    options = dict(fusion_method='k_means', neuron_importance_method='uniform')
    options.update(norm_acts=False, norm_neuron_importance=True)
    return lambda: tensors_of(layers_of(LSFusion(mlps).fuse(x, y, **options)))

TASKS = {'conductance': conductance, 'nt': nt, 'nt, hierarchical': nt_hierarchical, 'kf-linear': kf_linear}
task, file = sys.argv[1:]
tensors = read_tensors(file)
run = TASKS[task](parents_of(tensors), tensors['x'], tensors['y'].long())
np.random.seed(18)
def quietly():
    with open(os.devnull, 'w') as nowhere, contextlib.redirect_stdout(nowhere): return run()

answer(quietly)
