#!/usr/bin/env python3
"""W14 for PyTorch: training a network 784-128-10, batch 64, SGD with momentum; one JSON object a line, as `workloads` prints.

    pip install torch
    python3 mlp.py --threads 2

One call is a hundred steps, as there: a shuffled batch out of 60,000 images, forward, cross entropy, backward, step, and the hits
counted. The images lie ready as single precision in memory, which is the faster choice here (as bytes they would have to be converted
in each step). Variants: `torch` (the defaults), `torch-fused` (the fused optimiser), `torch-compile` (forward and loss compiled, the
fused optimiser; needs a C++ compiler).
"""

import argparse
import json
import time

import torch
from torch import nn

BATCH, STEPS, COUNT = 64, 100, 60_000


def case(name, threads, budget, fused, compiled):
    torch.manual_seed(1)
    net = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    images = torch.rand(COUNT, 784) * (torch.rand(COUNT, 784) < 0.2)
    classes = torch.arange(COUNT) % 10
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, fused=fused)

    def forward(x, y):
        scores = net(x)
        return nn.functional.cross_entropy(scores, y), (scores.argmax(1) == y).sum()

    run = torch.compile(forward) if compiled else forward
    order = torch.randperm(COUNT)
    part = 0

    def call():
        nonlocal part
        first = part * BATCH * STEPS % (COUNT - BATCH * STEPS)
        part += 1
        hits = torch.zeros((), dtype=torch.long)
        total = torch.zeros(())
        for step in range(STEPS):
            numbers = order[first + step * BATCH : first + (step + 1) * BATCH]
            x, y = images.index_select(0, numbers), classes.index_select(0, numbers)
            optimizer.zero_grad(set_to_none=True)
            loss, right = run(x, y)
            loss.backward()
            optimizer.step()
            total += loss.detach()
            hits += right
        return total.item(), hits.item()

    for _ in range(3):
        call()
    times = []
    end = time.perf_counter() + budget
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    line = {"w": "W14", "case": "mlp784_128_10_b64_100", "peer": name, "threads": threads, "times": times}
    print(json.dumps(line | {"items": BATCH * STEPS}), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--budget", type=float, default=1.5)
    parser.add_argument("--peer", default="")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    for name, fused, compiled in [("torch", None, False), ("torch-fused", True, False), ("torch-compile", True, True)]:
        if arguments.peer in name:
            case(name, arguments.threads, arguments.budget, fused, compiled)


main()
