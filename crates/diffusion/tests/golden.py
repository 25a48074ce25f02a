#!/usr/bin/env python3
"""Writes golden.json: what PyTorch's layers make of drawn weights, put together as the U-Net of this crate is, with all gradients.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install torch numpy
    /tmp/venv/bin/python golden.py
"""

import json
import math
import pathlib

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(1)
torch.set_default_dtype(torch.float64)


def numbers(tensor):
    tensor = tensor.detach()
    return {"shape": list(tensor.shape), "data": [float(f"{v:.17g}") for v in tensor.reshape(-1).tolist()]}


class Condition(nn.Module):
    def __init__(self, width, classes):
        super().__init__()
        self.linear1, self.linear2 = nn.Linear(width, width), nn.Linear(width, width)
        self.classes = nn.Embedding(classes + 1, width)

    def forward(self, t, labels):
        half = self.linear1.in_features // 2
        angles = t[:, None].double() * torch.exp(-math.log(10000.0) * torch.arange(half) / half)
        waves = torch.cat([angles.sin(), angles.cos()], -1)
        return F.silu(self.linear2(F.silu(self.linear1(waves))) + self.classes(labels))


class Block(nn.Module):
    def __init__(self, inputs, outputs, groups, told):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(groups, inputs), nn.Conv2d(inputs, outputs, 3, padding=1)
        self.told = nn.Linear(told, outputs)
        self.norm2, self.conv2 = nn.GroupNorm(groups, outputs), nn.Conv2d(outputs, outputs, 3, padding=1)
        if inputs != outputs:
            self.skip = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x, told):
        h = self.conv1(F.silu(self.norm1(x))) + self.told(told)[:, :, None, None]
        h = self.conv2(F.silu(self.norm2(h)))
        return h + (self.skip(x) if hasattr(self, "skip") else x)


class Heads(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.in_proj, self.out_proj = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        n, t, d = x.shape
        q, k, v = (part.reshape(n, t, self.heads, -1).transpose(1, 2) for part in self.in_proj(x).split(d, -1))
        return self.out_proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, t, d))


class Places(nn.Module):
    def __init__(self, maps, groups, heads):
        super().__init__()
        self.norm, self.attention = nn.GroupNorm(groups, maps), Heads(maps, heads)

    def forward(self, x):
        found = self.attention(self.norm(x).flatten(2).transpose(1, 2))
        return x + found.transpose(1, 2).reshape(x.shape)


class Down(nn.Module):
    def __init__(self, maps, groups, told):
        super().__init__()
        self.block, self.downsample = Block(maps, maps, groups, told), nn.Conv2d(maps, 2 * maps, 3, 2, 1)


class Up(nn.Module):
    def __init__(self, maps, groups, told):
        super().__init__()
        self.upsample, self.block = nn.ConvTranspose2d(2 * maps, maps, 2, 2), Block(2 * maps, maps, groups, told)


class UNet(nn.Module):
    def __init__(self, channels=1, width=4, levels=2, groups=2, told=6, classes=3, heads=2):
        super().__init__()
        maps = [width * 2**level for level in range(levels)]
        self.condition = Condition(told, classes)
        self.input = nn.Conv2d(channels, width, 3, padding=1)
        self.down = nn.ModuleList(Down(m, groups, told) for m in maps[:-1])
        self.middle = Block(maps[-1], maps[-1], groups, told)
        self.attention = Places(maps[-1], groups, heads)
        self.after = Block(maps[-1], maps[-1], groups, told)
        self.up = nn.ModuleList(Up(m, groups, told) for m in reversed(maps[:-1]))
        self.norm, self.output = nn.GroupNorm(groups, width), nn.Conv2d(width, channels, 3, padding=1)

    def forward(self, x, t, labels):
        told, across = self.condition(t, labels), []
        h = self.input(x)
        for level in self.down:
            h = level.block(h, told)
            across.append(h)
            h = level.downsample(h)
        h = self.after(self.attention(self.middle(h, told)), told)
        for level, skip in zip(self.up, reversed(across)):
            h = level.block(torch.cat([level.upsample(h), skip], 1), told)
        return self.output(F.silu(self.norm(h)))


def unet():
    net = UNet()
    for p in net.parameters():
        nn.init.normal_(p, std=0.3)
    x, t, labels = torch.randn(2, 1, 4, 6, requires_grad=True), torch.tensor([3, 700]), torch.tensor([1, 3])
    y = net(x, t, labels)
    dy = torch.randn_like(y)
    y.backward(dy)
    named = dict(net.named_parameters())
    return {"state": {k: numbers(p) for k, p in named.items()}, "gradients": {k: numbers(p.grad) for k, p in named.items()},
            "t": t.tolist(), "labels": labels.tolist(), "x": numbers(x), "dx": numbers(x.grad), "y": numbers(y), "dy": numbers(dy)}


pathlib.Path(__file__).with_name("golden.json").write_text(json.dumps({"torch": torch.__version__, "unet": unet()}, separators=(",", ":")) + "\n")
