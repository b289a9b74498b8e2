"""Compares our networks with PyTorch's, both ways: our weights in PyTorch, and PyTorch's weights in ours.

By hand, as PyTorch is large:
    python3 -m venv /tmp/torch && /tmp/torch/bin/pip install torch numpy safetensors
    PATH=/tmp/torch/bin:$PATH npm run torch-round-trip

Prints the largest difference of a logit for each network, and ends with status 1 above 1e-4.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

TOLERANCE = 1e-4
EXAMPLES = 8
ROOT = pathlib.Path(__file__).parent.parent.parent
DRIVER = ROOT / "dist/tools/test/torch/round-trip.js"


class Mlp(nn.Module):
    def __init__(self, size, channels):
        super().__init__()
        sizes = [size * size * channels, 512, 512, 512, 10]
        for i in range(4):
            self.add_module(f"fc{i + 1}", nn.Linear(sizes[i], sizes[i + 1]))

    def forward(self, x):
        x = x.flatten(1)
        for layer in (self.fc1, self.fc2, self.fc3):
            x = F.relu(layer(x))
        return self.fc4(x)


class LeNet(nn.Module):
    def __init__(self, size, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * ((size // 2 - 4) // 2) ** 2, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x.flatten(1))))))


class Vgg11(nn.Module):
    PLAN = [64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"]

    def __init__(self, channels, batch_norm):
        super().__init__()
        self.batch_norm = batch_norm
        convs = 0
        for item in self.PLAN:
            if item == "M":
                continue
            convs += 1
            self.add_module(f"conv{convs}", nn.Conv2d(channels, item, 3, padding=1))
            if batch_norm:
                self.add_module(f"bn{convs}", nn.BatchNorm2d(item))
            channels = item
        self.fc = nn.Linear(512, 10)

    def forward(self, x):
        convs = 0
        for item in self.PLAN:
            if item == "M":
                x = F.max_pool2d(x, 2)
                continue
            convs += 1
            x = getattr(self, f"conv{convs}")(x)
            if self.batch_norm:
                x = getattr(self, f"bn{convs}")(x)
            x = F.relu(x)
        return self.fc(x.flatten(1))


class BasicBlock(nn.Module):
    def __init__(self, inputs, filters, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, filters, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(filters)
        self.downsample = nn.Sequential()
        if stride > 1:
            conv = nn.Conv2d(inputs, filters, 1, stride, bias=False)
            self.downsample = nn.Sequential(conv, nn.BatchNorm2d(filters))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.downsample(x))


class ResNet18(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 64, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        inputs = 64
        for stage, filters in enumerate((64, 128, 256, 512)):
            first = BasicBlock(inputs, filters, 2 if stage > 0 else 1)
            self.add_module(f"layer{stage + 1}", nn.Sequential(first, BasicBlock(filters, filters, 1)))
            inputs = filters
        self.fc = nn.Linear(512, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
        return self.fc(x.mean((2, 3)))


class TransformerBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attn = nn.MultiheadAttention(width, width // 32, batch_first=True)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.ModuleDict(
            {"fc1": nn.Linear(width, 4 * width), "fc2": nn.Linear(4 * width, width)}
        )

    def forward(self, x):
        y = self.norm1(x)
        x = x + self.attn(y, y, y, need_weights=False)[0]
        return x + self.mlp["fc2"](F.gelu(self.mlp["fc1"](self.norm2(x))))


class Vit(nn.Module):
    def __init__(self, size, channels, width=128, depth=6):
        super().__init__()
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(channels, width, 4, 4)})
        self.pos_embed = nn.Parameter(0.02 * torch.randn(1, (size // 4) ** 2, width))
        self.blocks = nn.Sequential(*[TransformerBlock(width) for _ in range(depth)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        x = self.patch_embed["proj"](x).flatten(2).transpose(1, 2) + self.pos_embed
        return self.head(self.norm(self.blocks(x)).mean(1))


NETWORKS = {
    "mlp": lambda: Mlp(32, 3),
    "lenet": lambda: LeNet(32, 3),
    "vgg11": lambda: Vgg11(3, batch_norm=False),
    "vgg11-bn": lambda: Vgg11(3, batch_norm=True),
    "resnet18": lambda: ResNet18(3),
    "vit": lambda: Vit(32, 3),
    "lenet-28": lambda: LeNet(28, 1),
    "resnet18-28": lambda: ResNet18(1),
    "vit-28": lambda: Vit(28, 1),
}


def other_names(network, state):
    """The same tensors under the names that other people's code has for these layers."""
    layers = list(dict.fromkeys(name.rpartition(".")[0] for name in state))

    def torchvision_vgg(name):
        # nn.Sequential counts activations and poolings too: features.0, features.3, ...
        step = 3 if network == "vgg11-bn" else 2
        places, at = [], 0
        for item in Vgg11.PLAN:
            if item != "M":
                places.append(at)
            at += 1 if item == "M" else step
        name = name.replace("fc.", "classifier.")
        return re.sub(
            r"^(conv|bn)(\d+)",
            lambda m: f"features.{places[int(m[2]) - 1] + (m[1] == 'bn')}",
            name,
        )

    def kuangliu_resnet(name):
        return name.replace("downsample", "shortcut").replace("fc.", "linear.")

    def torchvision_vit(name):
        for pattern, replacement in [
            (r"^norm\.", "encoder.ln."),
            (r"^blocks\.(\d+)", r"encoder.layers.encoder_layer_\1"),
            (r"^patch_embed\.proj", "conv_proj"),
            (r"^pos_embed", "encoder.pos_embedding"),
            (r"\.norm(\d)", r".ln_\1"),
            (r"\.attn", ".self_attention"),
            (r"\.fc1", ".0"),
            (r"\.fc2", ".3"),
            (r"^head", "heads.head"),
        ]:
            name = re.sub(pattern, replacement, name)
        return name

    def counted(name):
        layer, _, kind = name.rpartition(".")
        return f"net.{3 * layers.index(layer)}.{kind}"

    rename = {"vgg11": torchvision_vgg, "resnet18": kuangliu_resnet, "vit": torchvision_vit}
    rename = rename.get(network.split("-")[0], counted)
    return {rename(name): tensor for name, tensor in state.items()}


def run(task, folder):
    return subprocess.run(["node", DRIVER, task, folder], cwd=ROOT).returncode


def unsettle(model):
    """Draws weights that leave no two layers alike and logits that differ: PyTorch's own give 0.1 at most."""
    for name, tensor in model.state_dict().items():
        if name.endswith("running_var"):
            tensor.copy_((tensor + 0.1 * torch.randn_like(tensor)).abs())
        elif tensor.dim() in (2, 4):
            nn.init.kaiming_uniform_(tensor, nonlinearity="relu")
        elif tensor.dim() == 1:
            tensor.add_(0.1 * torch.randn_like(tensor))


def main():
    torch.manual_seed(7)
    failed = False
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        if run("export", folder) != 0:
            return 1
        for network, build in NETWORKS.items():
            model = build().eval()
            path = f"{folder}/{network}"
            model.load_state_dict(load_file(f"{path}.ours.safetensors"))
            ours = load_file(f"{path}.ours.logits.safetensors")
            logits = model(ours["inputs"].permute(0, 3, 1, 2))
            difference = (logits - ours["logits"]).abs().max().item()
            size = ours["logits"].abs().max().item()
            print(f"{network:24s} -> torch  {difference:.1e}  of logits up to {size:.1f}", flush=True)
            failed |= not difference <= TOLERANCE

            model = build().eval()
            unsettle(model)
            inputs = torch.randn(ours["inputs"].shape)
            logits = model(inputs.permute(0, 3, 1, 2).contiguous())
            save_file(model.state_dict(), f"{path}.torch.safetensors")
            save_file(
                other_names(network, model.state_dict()), f"{path}.torch-names.safetensors"
            )
            save_file({"inputs": inputs, "logits": logits}, f"{path}.torch.logits.safetensors")
        failed |= run("check", folder) != 0
    return 1 if failed else 0


sys.exit(main())
