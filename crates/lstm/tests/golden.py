#!/usr/bin/env python3
"""Writes golden.json: what PyTorch's nn.LSTM, and ONNX' operator LSTM in onnxruntime, make of drawn weights.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install torch onnx onnxruntime numpy
    /tmp/venv/bin/python golden.py
"""

import json
import pathlib

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper

torch.manual_seed(1)
torch.set_default_dtype(torch.float64)


def numbers(tensor):
    tensor = np.asarray(tensor)
    return {"shape": list(tensor.shape), "data": [float(v) for v in tensor.reshape(-1)]}


def pytorch():
    lstm = torch.nn.LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=True)
    for p in lstm.parameters():
        torch.nn.init.normal_(p, std=0.5)
    x = torch.randn(3, 5, 3)
    lengths = [5, 3, 1]
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
    y, (h, c) = lstm(packed)
    y, _ = torch.nn.utils.rnn.pad_packed_sequence(y, batch_first=True)
    weights = torch.randn_like(y)
    (y * weights).sum().backward()
    d = lambda t: numbers(t.detach().numpy())
    return {
        "state": {k: d(v) for k, v in lstm.state_dict().items()},
        "x": d(x), "lengths": lengths, "y": d(y), "h": d(h), "c": d(c), "cotangent": d(weights),
        "gradients": {k: d(p.grad) for k, p in lstm.named_parameters()},
    }


def onnx_node():
    rng = np.random.default_rng(2)
    t, n, d, h = 4, 2, 3, 5
    draw = lambda *s: (0.5 * rng.standard_normal(s)).astype(np.float32)
    x, w, r, b, p = draw(t, n, d), draw(2, 4 * h, d), draw(2, 4 * h, h), draw(2, 8 * h), draw(2, 3 * h)
    # The inputs of the operator are X, W, R, B, sequence_lens, initial_h, initial_c, P.
    node = helper.make_node("LSTM", ["X", "W", "R", "B", "", "", "", "P"], ["Y"], hidden_size=h, direction="bidirectional")
    weights = [onnx.numpy_helper.from_array(v, k) for k, v in [("W", w), ("R", r), ("B", b), ("P", p)]]
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph = helper.make_graph([node], "lstm", [value("X", [t, n, d])], [value("Y", [t, 2, n, h])], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(model)
    (y,) = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"X": x})
    return {"x": numbers(x), "w": numbers(w), "r": numbers(r), "b": numbers(b), "p": numbers(p), "y": numbers(y)}


out = pathlib.Path(__file__).resolve().with_name("golden.json")
out.write_text(json.dumps({"pytorch": pytorch(), "onnx": onnx_node()}) + "\n")
print(out.stat().st_size, "bytes")
