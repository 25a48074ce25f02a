#!/usr/bin/env python3
"""Writes `tests/data/golden.txt`: functions at points, to 140 bits, by mpmath.

    pip install mpmath && python3 crates/tensor/scripts/golden.py

A line is a function, the bits of x, and the bits of the two doubles whose sum the value is, each in hexadecimal, and the
power of two that the sum is multiplied by.
"""

import pathlib
import random
import struct

from mpmath import mp, mpf, erfc, exp, expm1, floor, ldexp, log, log1p, ncdf, sin, cos, sqrt, tanh, erf

mp.prec = 4000
bits = lambda x: f"{struct.unpack('<Q', struct.pack('<d', x))[0]:016x}"
near = lambda x: float(mpf(x))

FUNCTIONS = {  # the function, and where it is neither 0 nor ±1 nor infinite to double precision
    "exp": (exp, -745, 709.7),
    "exp_m1": (expm1, -38, 709.7),
    "ln": (log, 5e-324, 1.7e308),
    "ln_1p": (log1p, -0.9999999999999999, 1.7e308),
    "softplus": (lambda x: log1p(exp(x)), -745, 1e3),
    "tanh": (tanh, -20, 20),
    "sigmoid": (lambda x: 1 / (1 + exp(-x)), -745, 38),
    "erf": (erf, -6, 6),
    "erfc": (erfc, -6, 27.2),
    "normal_cdf": (lambda x: erfc(-x / sqrt(mpf(2))) / 2, -38.4, 8.3),
    "sin": (sin, -(2.0**30), 2.0**30),
    "cos": (cos, -(2.0**30), 2.0**30),
}
# Where the bodies change their formula, and the doubles nearest to multiples of π/2 below 2³⁰ by continued fractions.
HARD = [0.55, 0.9, 2**0.5 - 1, 2**0.5, 0.5**0.5, 1.0, 2.0, near(log(2)), near(log(2) / 2), near(mp.pi / 4), 5e-324, 2.0**-1022, 2.0**-54, 2.0**-27]


def angles():
    a = mp.pi / 2
    numerators, denominators = [0, 1], [1, 0]
    while numerators[-1] < 2**30:
        whole = int(floor(a))
        numerators.append(whole * numerators[-1] + numerators[-2])
        denominators.append(whole * denominators[-1] + denominators[-2])
        a = 1 / (a - whole)
    return [near(d * mp.pi / 2) for d in denominators[2:]] + [near(k * mp.pi / 2) for k in (1, 2, 3, 4, 5, 1000, 10**6, 6 * 10**8)]


def main():
    random.seed(7)
    lines = []
    for name, (function, low, high) in FUNCTIONS.items():
        points = []
        around = HARD + [-h for h in HARD] + (angles() if name in ("sin", "cos") else [])
        for x in around:
            for step in (-1, 0, 1):
                points.append(struct.unpack("<d", struct.pack("<q", struct.unpack("<q", struct.pack("<d", x))[0] + step))[0])
        while len(points) < 1200:
            sign = random.choice((-1, 1))
            top = high if sign > 0 else -low
            if top <= 0:
                continue
            wide = 2 ** random.uniform(-1070 if name == "ln" else -60, float(log(top, 2)))
            points.append(sign * random.choice((wide, random.uniform(0, top if name != "ln" else 4))))
        for x in points:
            if not low <= x <= high or x == 0:
                continue
            mp.prec = 2400 if abs(x) < 1e-30 else 400
            y = function(mpf(x))
            if y == 0:
                continue
            scale = mp.frexp(y)[1]
            y = ldexp(y, -scale)
            first = float(y)
            lines.append(f"{name} {bits(x)} {bits(first)} {bits(float(y - mpf(first)))} {scale}")
    path = pathlib.Path(__file__).parent.parent / "tests/data/golden.txt"
    path.write_text("\n".join(lines) + "\n")
    print(len(lines), "lines")


if __name__ == "__main__":
    main()
