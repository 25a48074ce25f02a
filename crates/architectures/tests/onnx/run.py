"""Checks ONNX files, runs them with onnxruntime, and says how far the scores are from those that are expected.

    pip install onnx==1.23.2 onnxruntime==1.32.0 && python run.py FOLDER

For each NAME.onnx of the folder there are files NAME.BATCH.in and NAME.BATCH.out: images and scores, as numbers of single precision.
Writes a line for each: NAME BATCH, and the largest difference as a part of the largest score.
"""

import pathlib
import sys

import numpy as np
import onnx
import onnxruntime

for file in sorted(pathlib.Path(sys.argv[1]).glob("*.onnx")):
    # With the shapes inferred: they must be those that the file says.
    onnx.checker.check_model(str(file), full_check=True)
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    [image], [scores] = session.get_inputs(), session.get_outputs()
    assert (image.name, scores.name) == ("image", "scores"), file
    assert image.shape[0] == scores.shape[0] == "batch", file
    for given in sorted(file.parent.glob(f"{file.stem}.*.in")):
        x = np.fromfile(given, "<f4").reshape(-1, *image.shape[1:])
        expected = np.fromfile(given.with_suffix(".out"), "<f4")
        [y] = session.run(None, {"image": x})
        assert list(y.shape) == [len(x), *scores.shape[1:]], (file, y.shape)
        off = np.abs(y.flatten().astype("f8") - expected).max() / np.abs(expected).max()
        print(file.stem, len(x), f"{off:e}")
