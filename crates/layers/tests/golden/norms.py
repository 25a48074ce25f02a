"""Writes norms.csv: what PyTorch's layers give, with which states, for the numbers that golden.rs makes too.

    pip install torch==2.15.0 && python norms.py

Each row: case, what, then the numbers, doubles that read back exactly. Values in one step of training, values in evaluation
after two steps, running statistics, gradients of sum(y * cos(i)) where i counts the elements of y.
"""

import csv
import pathlib

import torch
from torch import nn

torch.set_default_dtype(torch.float64)


def made(shape, phase):
    """sin(1.7 i + phase) * 2 + phase of element i: no random generator to agree on."""
    count = torch.Size(shape).numel()
    return (torch.sin(1.7 * torch.arange(count) + phase) * 2 + phase).reshape(shape)


CASES = {
    "linear": (nn.Linear(3, 2), (4, 3)),
    "embedding": (nn.Embedding(5, 3, padding_idx=1), None),
    "layer_norm": (nn.LayerNorm(6, eps=1e-3), (4, 6)),
    "layer_norm_2": (nn.LayerNorm((3, 2)), (4, 3, 2)),
    "rms_norm": (nn.RMSNorm(6, eps=1e-3), (4, 6)),
    "group_norm": (nn.GroupNorm(2, 4), (3, 4, 2, 3)),
    "batch_norm_1d": (nn.BatchNorm1d(3, momentum=0.3), (5, 3)),
    "batch_norm_1d_length": (nn.BatchNorm1d(3), (4, 3, 2)),
    "batch_norm_2d": (nn.BatchNorm2d(3, eps=1e-3, momentum=0.25), (2, 3, 2, 2)),
}


def main():
    with open(pathlib.Path(__file__).with_suffix(".csv"), "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")

        def row(case, what, values):
            out.writerow([case, what, *(repr(v) for v in values.detach().flatten().tolist())])

        for case, (layer, shape) in CASES.items():
            with torch.no_grad():
                for phase, parameter in enumerate(layer.parameters(), start=1):
                    parameter.copy_(made(parameter.shape, 0.25 * phase))
                if case == "embedding":
                    layer.weight[1] = 0
            x = torch.tensor([[1, 4, 0], [4, 4, 2]]) if shape is None else made(shape, 0.5).requires_grad_()
            layer.train()
            y = layer(x)
            (y * torch.cos(torch.arange(y.numel()).reshape(y.shape).double())).sum().backward()
            row(case, "train", y)
            if shape is not None:
                row(case, "gradient", x.grad)
            for name, parameter in layer.named_parameters():
                row(case, f"gradient {name}", parameter.grad)
            if shape is not None:
                layer(made(shape, -1.5))
                layer.eval()
                row(case, "eval", layer(made(shape, 2.5)))
            for name, buffer in layer.named_buffers():
                if name != "num_batches_tracked":
                    row(case, name, buffer)


main()
