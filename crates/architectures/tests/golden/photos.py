"""Writes photos.csv: what torchvision's preprocessing makes, by Pillow, of pictures that photos.rs makes too.

    pip install torch==2.15.0 torchvision==0.29.2 timm==1.0.31 pillow==13.0.0 && python photos.py

Rows: preset, height, width; the sum of i times the byte number i of the square that is cut out (i from 1, row by row, pixel by pixel), and
every so many numbers of the result as a network takes it (single precision, red first, shortest digits that read back exactly).
"""

import csv
import pathlib

import numpy as np
import timm
import torch
from PIL import Image
from torchvision.models import ResNet18_Weights
from torchvision.transforms import functional as F

PRESET = ResNet18_Weights.IMAGENET1K_V1.transforms()
XCEPTION = timm.data.create_transform(**timm.data.resolve_data_config({}, model=timm.create_model("legacy_xception")))


def picture(height, width):
    """Edges, ramps and what looks like noise, without a random generator to agree on."""
    y, x, c = np.mgrid[:height, :width, :3]
    ramp = (x * 5 + y * 3 + c * 40) % 256
    noise = (x * x * 7 + y * y * 13 + x * y * 3 + c * 101) % 251
    edge = np.where((x // 8 + y // 5) % 2 == 0, 255, 0)
    return np.where(x % 3 == 0, ramp, np.where(y % 4 == 0, edge, noise)).astype(np.uint8)


def imagenet(image):
    square = F.center_crop(F.resize(image, PRESET.resize_size, PRESET.interpolation), PRESET.crop_size)
    return square, PRESET(image)[None]


def xception(image):
    resize, crop, *_ = XCEPTION.transforms
    return crop(resize(image)), XCEPTION(image)[None]


SIZES = [(375, 500), (400, 301), (256, 256), (224, 224), (256, 300), (257, 256), (31, 641), (900, 17), (2, 3), (1, 1), (1, 50)]
with open(pathlib.Path(__file__).parent / "photos.csv", "w", newline="") as out:
    rows = csv.writer(out, lineterminator="\n")
    for name, preset in [("imagenet", imagenet), ("xception", xception)]:
        for height, width in SIZES:
            square, x = preset(Image.fromarray(picture(height, width)))
            flat = np.asarray(square).reshape(-1).astype(object)
            total = sum((i + 1) * int(v) for i, v in enumerate(flat))
            values = x.flatten()[:: x.numel() // 30]
            rows.writerow([name, height, width, total, *[np.format_float_positional(np.float32(v), unique=True) for v in values]])
            print(name, height, width, square.size, tuple(x.shape))
