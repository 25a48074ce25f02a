"""Ten steps of PyTorch's optimisers in double precision, and the rates of its schedules: optimizers.csv, schedules.csv.

    python trajectories.py     (torch 2.15.0, CPU)

The gradients are given, not computed: each row has the gradient that a component got and where it went. A schedule's row has the
rate that a step is taken with.
"""

import csv
import math
from pathlib import Path

import torch

HERE = Path(__file__).parent
START = [0.5, -1.25, 3.0]
STEPS = 10

OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "sgd-decay": lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.05),
    "sgd-momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    "sgd-momentum-decay": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.05),
    "sgd-nesterov": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.05),
    "adam": lambda p: torch.optim.Adam(p, lr=0.1),
    "adam-decay": lambda p: torch.optim.Adam(p, lr=0.1, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.05),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.1),
    "adamw-decay": lambda p: torch.optim.AdamW(p, lr=0.1, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.2),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.1),
    "rmsprop-decay": lambda p: torch.optim.RMSprop(p, lr=0.1, alpha=0.9, eps=1e-3, weight_decay=0.05),
    "rmsprop-momentum": lambda p: torch.optim.RMSprop(p, lr=0.1, momentum=0.9),
    "rmsprop-centred": lambda p: torch.optim.RMSprop(p, lr=0.1, centered=True),
    "rmsprop-all": lambda p: torch.optim.RMSprop(p, lr=0.1, alpha=0.9, momentum=0.5, centered=True, weight_decay=0.05),
}


def gradient(step, component):
    return 2.0 * math.sin(1.0 + 1.7 * step + 2.3 * component) / (1 + component) + 0.01 * component


def trajectories():
    for name, make in OPTIMIZERS.items():
        w = torch.nn.Parameter(torch.tensor(START, dtype=torch.float64))
        optimizer = make([w])
        for step in range(STEPS):
            # The rate changes on the way: what a state keeps of it shows.
            optimizer.param_groups[0]["lr"] = 0.1 if step < 6 else 0.03
            g = [gradient(step, k) for k in range(len(START))]
            w.grad = torch.tensor(g, dtype=torch.float64)
            optimizer.step()
            for k, (slope, value) in enumerate(zip(g, w.tolist())):
                yield [name, step, k, repr(slope), repr(value)]


def schedules():
    from torch.optim import lr_scheduler as s

    w = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    makers = {
        "cosine": (0.1, lambda o: s.CosineAnnealingLR(o, T_max=40, eta_min=0.01)),
        "restarts": (0.1, lambda o: s.CosineAnnealingWarmRestarts(o, T_0=8, T_mult=2, eta_min=0.01)),
        "one-cycle": (0.1, lambda o: s.OneCycleLR(o, max_lr=0.1, total_steps=41)),
        "one-cycle-line": (
            0.1,
            lambda o: s.OneCycleLR(o, 0.1, total_steps=41, pct_start=0.45, anneal_strategy="linear", div_factor=5, final_div_factor=20),
        ),
        "step": (0.1, lambda o: s.StepLR(o, step_size=7, gamma=0.1)),
        "multi-step": (0.1, lambda o: s.MultiStepLR(o, milestones=[3, 9, 30], gamma=0.1)),
        "polynomial": (0.1, lambda o: s.PolynomialLR(o, total_iters=40, power=2.0)),
    }
    for name, (rate, make) in makers.items():
        optimizer = torch.optim.SGD([w], lr=rate)
        scheduler = make(optimizer)
        for step in range(41):
            yield [name, step, repr(optimizer.param_groups[0]["lr"])]
            optimizer.step()
            if step < 40:
                scheduler.step()
    optimizer = torch.optim.SGD([w], lr=0.1)
    plateau = s.ReduceLROnPlateau(optimizer, patience=2, threshold=0.01, threshold_mode="abs", cooldown=3, min_lr=1e-4)
    for step in range(41):
        yield ["plateau", step, repr(optimizer.param_groups[0]["lr"])]
        plateau.step(measured(step))


def measured(step):
    """An error that falls, and then only shakes: the test computes it too, in whole numbers."""
    return max(10 - step, 5) + (step * 7 % 5) / 8


def main():
    for file, header, rows in [
        ("optimizers.csv", ["case", "step", "component", "gradient", "weight"], trajectories()),
        ("schedules.csv", ["case", "step", "rate"], schedules()),
    ]:
        with open(HERE / file, "w", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(rows)


if __name__ == "__main__":
    main()
