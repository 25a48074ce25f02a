#!/usr/bin/env python3
"""Writes golden.json: what PyTorch's attention, its transformer layers, and GPT-2's form make of drawn weights.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install torch numpy
    /tmp/venv/bin/python golden.py
"""

import json
import math
import pathlib

import torch
import torch.nn.functional as F

torch.manual_seed(1)
torch.set_default_dtype(torch.float64)


def numbers(tensor):
    tensor = tensor.detach()
    return {"shape": list(tensor.shape), "data": [float(f"{v:.17g}") for v in tensor.reshape(-1).tolist()]}


def attention():
    q, k, v = (torch.randn(2, 3, n, 4, requires_grad=True) for n in (5, 7, 7))
    mask = torch.rand(2, 1, 5, 7) < 0.7
    mask[0, 0, 2] = False  # a query that sees nothing
    y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    dy = torch.randn_like(y)
    y.backward(dy)
    names = {"q": q, "k": k, "v": v, "y": y, "dy": dy, "dq": q.grad, "dk": k.grad, "dv": v.grad}
    return {"mask": mask.int().reshape(2, 5, 7).tolist(), **{name: numbers(t) for name, t in names.items()}}


def draw(module):
    for p in module.parameters():
        torch.nn.init.normal_(p, std=0.5)
    return module


def state(module, gradients=False):
    return {k: numbers(p.grad if gradients else p) for k, p in module.named_parameters()}


def encoder(norm_first):
    layer = draw(torch.nn.TransformerEncoderLayer(6, 2, 5, dropout=0.0, activation="gelu", batch_first=True, norm_first=norm_first))
    x = torch.randn(2, 4, 6, requires_grad=True)
    lengths = [4, 3]
    padding = torch.arange(4)[None] >= torch.tensor(lengths)[:, None]
    layer.train()  # without dropout the same, and without the fast path, which leaves padding out
    y = layer(x, src_key_padding_mask=padding)
    dy = torch.randn_like(y) * ~padding[:, :, None]
    y.backward(dy)
    return {"state": state(layer), "gradients": state(layer, True), "lengths": lengths,
            "x": numbers(x), "dx": numbers(x.grad), "y": numbers(y), "dy": numbers(dy)}


def decoder():
    stack = draw(torch.nn.TransformerDecoder(
        torch.nn.TransformerDecoderLayer(6, 3, 5, dropout=0.0, batch_first=True, norm_first=True), 2, torch.nn.LayerNorm(6)))
    x, memory = torch.randn(2, 4, 6, requires_grad=True), torch.randn(2, 3, 6, requires_grad=True)
    causal = torch.nn.Transformer.generate_square_subsequent_mask(4)
    y = stack(x, memory, tgt_mask=causal, tgt_is_causal=True)
    dy = torch.randn_like(y)
    y.backward(dy)
    return {"state": state(stack), "gradients": state(stack, True), "x": numbers(x), "memory": numbers(memory),
            "dx": numbers(x.grad), "dmemory": numbers(memory.grad), "y": numbers(y), "dy": numbers(dy)}


def gpt2():
    """GPT-2 by its names, matrices as [inputs, outputs], written down with nothing but products."""
    d, h, layers, vocabulary, context = 8, 2, 2, 11, 6
    w = {"wte.weight": torch.randn(vocabulary, d), "wpe.weight": torch.randn(context, d)}
    for l in range(layers):
        for name, shape in {"ln_1": (d,), "ln_2": (d,), "attn.c_attn": (d, 3 * d), "attn.c_proj": (d, d),
                            "mlp.c_fc": (d, 4 * d), "mlp.c_proj": (4 * d, d)}.items():
            w[f"h.{l}.{name}.weight"] = torch.randn(*shape) * 0.5
            w[f"h.{l}.{name}.bias"] = torch.randn(shape[-1]) * 0.5
        w[f"h.{l}.attn.bias"] = torch.tril(torch.ones(1, 1, context, context))
    w["ln_f.weight"], w["ln_f.bias"] = torch.randn(d), torch.randn(d)
    ids = torch.tensor([[3, 1, 4, 1, 5, 9], [2, 6, 5, 3, 5, 8]])
    norm = lambda x, name: F.layer_norm(x, (d,), w[f"{name}.weight"], w[f"{name}.bias"], 1e-5)
    dense = lambda x, name: x @ w[f"{name}.weight"] + w[f"{name}.bias"]
    x = w["wte.weight"][ids] + w["wpe.weight"][: ids.shape[1]]
    n, t = ids.shape
    for l in range(layers):
        q, k, v = dense(norm(x, f"h.{l}.ln_1"), f"h.{l}.attn.c_attn").split(d, -1)
        heads = lambda y: y.view(n, t, h, d // h).transpose(1, 2)
        scores = heads(q) @ heads(k).transpose(-1, -2) / math.sqrt(d // h)
        scores = scores.masked_fill(torch.triu(torch.ones(t, t, dtype=torch.bool), 1), -math.inf)
        found = (torch.softmax(scores, -1) @ heads(v)).transpose(1, 2).reshape(n, t, d)
        x = x + dense(found, f"h.{l}.attn.c_proj")
        hidden = F.gelu(dense(norm(x, f"h.{l}.ln_2"), f"h.{l}.mlp.c_fc"), approximate="tanh")
        x = x + dense(hidden, f"h.{l}.mlp.c_proj")
    logits = norm(x, "ln_f") @ w["wte.weight"].T
    return {"state": {k: numbers(v) for k, v in w.items()}, "ids": ids.tolist(), "heads": h, "logits": numbers(logits)}


golden = {"attention": attention(), "encoder": encoder(False), "encoder_pre": encoder(True), "decoder": decoder(), "gpt2": gpt2()}
path = pathlib.Path(__file__).with_name("golden.json")
path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
