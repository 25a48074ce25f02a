"""Writes activations.csv: values and derivatives to the last place, by 60-digit arithmetic.

    pip install mpmath && python activations.py

Each row: function, x, f(x), f'(x), as doubles with 17 significant digits.
"""

import csv
import pathlib

from mpmath import diff, erfc, exp, log, mp, mpf, sqrt, tanh, pi

mp.dps = 60
ALPHA, LAMBDA = mpf(1.6732632423543773), mpf(1.0507009873554805)


def sigmoid(x):
    return 1 / (1 + exp(-x))


def softplus(x):
    return log(1 + exp(x))


def gelu_tanh(x):
    return x / 2 * (1 + tanh(sqrt(2 / pi) * (x + mpf("0.044715") * x**3)))


FUNCTIONS = {
    "sigmoid": sigmoid,
    "log_sigmoid": lambda x: -softplus(-x),
    "tanh": tanh,
    "softplus": softplus,
    "elu": lambda x: x if x > 0 else exp(x) - 1,
    "selu": lambda x: LAMBDA * (x if x > 0 else ALPHA * (exp(x) - 1)),
    "silu": lambda x: x * sigmoid(x),
    "gelu": lambda x: x / 2 * erfc(-x / sqrt(2)),
    "gelu_tanh": gelu_tanh,
    "mish": lambda x: x * tanh(softplus(x)),
    "logit": lambda p: log(p / (1 - p)),
}
POINTS = [1e-300, 1e-20, 1e-8, 0.001, 0.1, 0.25, 0.5, 0.7, 1.0, 1.5, 2.25, 3.5, 5.0, 8.0, 12.0, 20.0, 36.5, 100.0, 700.0]
PROBABILITIES = [1e-300, 1e-10, 0.01, 0.2, 0.3, 0.31, 0.45, 0.499, 0.501, 0.55, 0.64, 0.65, 0.9, 0.999, 1 - 1e-10]


def main():
    with open(pathlib.Path(__file__).with_suffix(".csv"), "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["function", "x", "value", "derivative"])
        for name, f in FUNCTIONS.items():
            points = PROBABILITIES if name == "logit" else [s * x for x in POINTS for s in (1, -1)]
            for x in points:
                x = mpf(x)
                # Far more digits for cancelling tails: at -700 the value is 1e-304 of its terms.
                mp.dps = 800
                value, slope = f(x), diff(f, x, h=mpf(10) ** -380)
                mp.dps = 60
                row = [float(value), float(slope)]
                if all(abs(v) > 1e-290 or v == 0 for v in row) or abs(x) < 1e-200:
                    out.writerow([name, repr(float(x)), *map(repr, row)])


main()
