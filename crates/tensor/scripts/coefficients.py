#!/usr/bin/env python3
"""Derives the polynomials of `src/math` and writes `src/math/coefficients.rs`.

    pip install mpmath && python3 crates/tensor/scripts/coefficients.py

Each polynomial is the weighted minimax one of its degree, nearly, by Lawson's iteration in 80 digits. Its first coefficients are
rounded to the target's precision one after the other, and the rest fitted again each time, so that later coefficients
make up for the rounding of earlier ones. The error printed is that of the rounded polynomial, in bits.
"""

import pathlib
import struct

from mpmath import mp, mpf, cos, erf, erfc, exp, expm1, factorial, log, log1p, lu_solve, matrix, pi, sin, sqrt, tanh

mp.dps = 80


def single(x):
    return mpf(struct.unpack("f", struct.pack("f", float(x)))[0])


def double(x):
    return mpf(float(x))


def text(x, rounding):
    return repr(float(x)) if rounding is double else f"{float(x):.9g}" + ("" if any(c in f"{float(x):.9g}" for c in ".e") else ".0")


def horner(coefficients, x):
    y = mpf(0)
    for c in reversed(coefficients):
        y = y * x + c
    return y


def minimax(samples, fixed, count, rounds=12):
    """`count` more coefficients after the `fixed` ones; samples are (x, f(x), weight(x)) at Chebyshev's points.

    Lawson's iteration: least squares, each point weighted again by its last error. Unlike Remez's exchange it needs
    no Haar condition, which powers that begin at x^k do not fulfil on an interval around 0.
    """
    first = len(fixed)
    todo = [(x, (f - horner(fixed, x)) * w, w * x**first) for x, f, w in samples]
    importance = [mpf(1)] * len(todo)
    best = None
    for _ in range(rounds):
        a, b = matrix(count, count), matrix(count, 1)
        moments = [mpf(0)] * (2 * count - 1)
        for (x, y, w), weight in zip(todo, importance):
            power = weight * w * w
            right = weight * w * y
            for k in range(2 * count - 1):
                moments[k] += power
                power *= x
                if k < count:
                    b[k] += right
                    right *= x
        for i in range(count):
            for k in range(count):
                a[i, k] = moments[i + k]
        solution = lu_solve(a, b)
        found = [solution[k] for k in range(count)]
        errors = [abs(y - w * horner(found, x)) for x, y, w in todo]
        if best is None or max(errors) < best[0]:
            best = (max(errors), found)
        mean = sum(p * e for p, e in zip(importance, errors)) / sum(importance)
        if mean == 0:
            break
        importance = [p * e / mean for p, e in zip(importance, errors)]
    return best[1]


def fit(name, f, weight, low, high, count, rounding, careful=3, coarse=0):
    samples = []
    n = 10 * count + 1
    for i in range(n + 1):
        x = (low + high) / 2 - (high - low) / 2 * cos(pi * (i + mpf("0.5")) / (n + 1))
        samples.append((x, f(x), weight(x)))
    fixed = []
    for left in range(count, 0, -1):
        found = minimax(samples, fixed, left)
        if len(fixed) == careful:
            fixed += [rounding(c) for c in found]
            break
        c = rounding(found[0])
        if coarse and not fixed:
            head = mp.nint(found[0] * 2**coarse) / 2**coarse
            c = head + rounding(found[0] - head)
        fixed.append(c)
    if coarse:
        worst = max(abs((y - horner(fixed, x)) * w) for x, y, w in samples)
        print(f"{name}: {len(fixed)} coefficients, the first in two parts, error 2^{float(log(worst, 2)):.1f}")
        return [head, fixed[0] - head] + fixed[1:]
    worst = max(abs((y - horner(fixed, x)) * w) for x, y, w in samples)
    print(f"{name}: {len(fixed)} coefficients, error 2^{float(log(worst, 2)):.1f}")
    return fixed


def rational(samples, p, q, fixed_p, fixed_q, rounds=12):
    """The weighted minimax quotient of polynomials of degrees p and q, some coefficients given, by the same iteration: P − f·Q is
    linear in what is sought, and the last denominator is part of the weight."""
    seek_p, seek_q = ([k for k in range(n + 1) if k not in fixed] for n, fixed in ((p, fixed_p), (q, fixed_q)))
    importance, below, best = [mpf(1)] * len(samples), [mpf(1)] * len(samples), None
    n = len(seek_p) + len(seek_q)
    for _ in range(rounds):
        a, b = matrix(n, n), matrix(n, 1)
        for (x, f, w), weight, d in zip(samples, importance, below):
            row = [w / d * x**k for k in seek_p] + [-w / d * f * x**k for k in seek_q]
            right = w / d * (f * sum(c * x**k for k, c in fixed_q.items()) - sum(c * x**k for k, c in fixed_p.items()))
            for i in range(n):
                b[i] += weight * row[i] * right
                for k in range(n):
                    a[i, k] += weight * row[i] * row[k]
        solution = list(lu_solve(a, b))
        above = [fixed_p[k] if k in fixed_p else solution[seek_p.index(k)] for k in range(p + 1)]
        under = [fixed_q[k] if k in fixed_q else solution[len(seek_p) + seek_q.index(k)] for k in range(q + 1)]
        below = [horner(under, x) for x, _, _ in samples]
        errors = [abs((horner(above, x) / d - f) * w) for (x, f, w), d in zip(samples, below)]
        if best is None or max(errors) < best[0]:
            best = (max(errors), above, under)
        mean = sum(i * e for i, e in zip(importance, errors)) / sum(importance)
        importance = [i * e / mean for i, e in zip(importance, errors)]
    return best


def fit_rational(name, samples, p, q):
    """The quotient with its coefficients rounded to single precision one after the other, the lowest first."""
    above, under = {}, {0: mpf(1)}
    for k in range(max(p, q) + 1):
        if k <= q and k not in under:
            under[k] = single(rational(samples, p, q, above, under)[2][k])
        if k <= p:
            above[k] = single(rational(samples, p, q, above, under)[1][k])
    above, under = ([c[k] for k in sorted(c)] for c in (above, under))
    worst = max(abs((horner(above, x) / horner(under, x) - f) * w) for x, f, w in samples)
    print(f"{name}: {p + 1} over {q + 1} coefficients, error 2^{float(log(worst, 2)):.1f}")
    return above, under


def gelu(put):
    """For Φ(−a): in a² near 0, beyond that the quotient in a whose squares are counted by h = a²/2."""
    leave, end = mpf("0.8"), mpf("14.5")
    points = [(1 - cos(pi * (i + mpf("0.5")) / 101)) / 2 for i in range(101)]
    tail = lambda a: erfc(a / sqrt(2)) / 2
    part = lambda a: a / (a + 2)
    arguments = [2 * u / (1 - u) for u in (part(leave) + (part(end) - part(leave)) * v for v in points)]
    scaled = [(a, tail(a) * exp(a * a / 2)) for a in arguments]
    above, under = fit_rational("gelu f32", [(a, f, 1 / f) for a, f in scaled], 3, 4)
    by_h = lambda c: [x * 2 ** (k // 2) for k, x in enumerate(c)]
    put("GELU_P", "exp(a²/2)·Φ(−a) in a ≥ 0.8, the numerator: (p₀ + p₁a) + h(p₂ + p₃a) with h = a²/2.", by_h(above))
    put("GELU_Q", "The denominator: (q₀ + q₁a) + h((q₂ + q₃a) + h·q₄).", by_h(under))
    series = lambda h: horner([(-1) ** k / (factorial(k) * (2 * k + 1)) / sqrt(2 * pi) for k in range(25)], h)
    put("GELU_S", "(½ − Φ(−a))/a in h = a²/2, a ≤ 0.8.",
        fit("gelu near f32", series, lambda h: sqrt(2 * h) / tail(sqrt(2 * h)), mpf(0), leave**2 / 2, 5, single))


def smooth(f, terms):
    """f by its Taylor series where the closed form would cancel."""
    series = [c for c in terms]
    return lambda x: horner(series, x) if abs(x) < mpf("1e-3") else f(x)


def main():
    out = []
    half_ln2 = log(2) / 2 * mpf("1.0001")
    growth = smooth(lambda r: (expm1(r) - r) / r**2, [1 / factorial(k + 2) for k in range(25)])
    ln_tail = smooth(lambda f: (log1p(f) - f) / f**2, [mpf((-1) ** (k + 1)) / (k + 2) for k in range(25)])
    root = lambda y: sqrt(y)
    tanh_tail = smooth(lambda y: (tanh(root(y)) / root(y) - 1) / y, [c for c in taylor_tanh()])
    erf_head = smooth(lambda y: erf(root(y)) / root(y) - 1, [2 / sqrt(pi) * (-1) ** k / (factorial(k) * (2 * k + 1)) - (k == 0) for k in range(25)])
    sin_tail = smooth(lambda y: (sin(root(y)) / root(y) - 1) / y, [(-1) ** (k + 1) / factorial(2 * k + 3) for k in range(20)])
    cos_tail = smooth(lambda y: (cos(root(y)) - 1 + y / 2) / y**2, [(-1) ** k / factorial(2 * k + 4) for k in range(20)])
    # In u = (a − 4)/(a + 4), whose a runs from 0 to where the tail has underflown. Of 1, 2, 3 … the 4 needs the fewest.
    back = lambda u: 4 * (1 + u) / (1 - u)
    erfc_smooth = lambda u: (lambda a: erfc(a) * exp(a * a) * (4 + a))(back(u))
    cdf_smooth = lambda u: (lambda a: erfc(a / sqrt(2)) * exp(a * a / 2) / 2 * (4 + a))(back(u))
    atanh_tail = smooth(lambda z: (lambda s: (log((1 + s) / (1 - s)) / s - 2) / z)(sqrt(z)), [mpf(2) / (2 * k + 3) for k in range(25)])

    quarter = (pi / 4 * mpf("1.0001")) ** 2
    for precision, rounding, counts, ends in [
        ("f32", single, dict(exp=5, ln=9, unit=10, tanh=5, erf=7, erfc=12, cdf=12, sin=3, cos=3), (mpf("10.2"), mpf("14.6"))),
        ("f64", double, dict(exp=11, ln=7, unit=10, tanh=11, erf=14, erfc=27, cdf=26, sin=6, cos=6), (mpf("27.4"), mpf("38.8"))),
    ]:
        coarse = 20 if rounding is single else 49  # so that the code can find exactly what the last sum has lost

        def put(name, doc, coefficients):
            body = ", ".join(text(c, rounding) for c in coefficients)
            out.append(f"/// {doc}\npub(super) const {name}_{precision.upper()}: [{precision}; {len(coefficients)}] = [{body}];\n")

        put("EXP", "(eʳ − 1 − r)/r² in r, |r| ≤ ½ ln 2.",
            fit(f"exp {precision}", growth, lambda r: r**2 / expm1(r) if r else mpf(0), -half_ln2, half_ln2, counts["exp"], rounding))
        if rounding is single:
            put("LN", "(ln(1 + f) − f)/f² in f, from √½ − 1 to √2 − 1.",
                fit(f"ln {precision}", ln_tail, lambda f: f**2 / log1p(f) if f else mpf(0), sqrt(mpf("0.5")) - 1, sqrt(2) - 1, counts["ln"], rounding))
            put("LN_UNIT", "(ln(1 + f) − f)/f² in f, from 0 to 1.",
                fit(f"ln unit {precision}", ln_tail, lambda f: f**2 / log1p(f) if f else mpf(0), mpf(0), mpf(1), counts["unit"], rounding))
        else:
            put("LN_UNIT", "(ln((1 + s)/(1 − s))/s − 2)/s² in s², |s| ≤ ⅓.",
                fit(f"ln unit {precision}", atanh_tail, lambda z: z / 2, mpf(0), mpf(1) / 9, counts["unit"], rounding))
            put("LN", "(ln((1 + s)/(1 − s))/s − 2)/s² in s², |s| ≤ (√2 − 1)/(√2 + 1).",
                fit(f"ln {precision}", atanh_tail, lambda z: z / 2, mpf(0), ((sqrt(2) - 1) / (sqrt(2) + 1)) ** 2, counts["ln"], rounding))
        put("TANH", "(tanh(x)/x − 1)/x² in x², |x| ≤ 0.55.",
            fit(f"tanh {precision}", tanh_tail, lambda y: y, mpf(0), mpf("0.5501") ** 2, counts["tanh"], rounding))
        put("ERF", "erf(x)/x − 1 in x², |x| ≤ 0.9.",
            fit(f"erf {precision}", erf_head, lambda y: mpf(1), mpf(0), mpf("0.9001") ** 2, counts["erf"], rounding))
        put("ERFC", "(4 + a)·exp(a²)·erfc(a) in (a − 4)/(a + 4), the constant in two parts.",
            fit(f"erfc {precision}", erfc_smooth, lambda u: 1 / erfc_smooth(u), mpf(-1), (ends[0] - 4) / (ends[0] + 4), counts["erfc"], rounding, 2, coarse))
        put("CDF", "(4 + a)·exp(a²/2)·Φ(−a) in (a − 4)/(a + 4), the constant in two parts.",
            fit(f"cdf {precision}", cdf_smooth, lambda u: 1 / cdf_smooth(u), mpf(-1), (ends[1] - 4) / (ends[1] + 4), counts["cdf"], rounding, 2, coarse))
        put("SIN", "(sin(r)/r − 1)/r² in r², |r| ≤ π/4.",
            fit(f"sin {precision}", sin_tail, lambda y: y, mpf(0), quarter, counts["sin"], rounding))
        put("COS", "(cos(r) − 1 + r²/2)/r⁴ in r², |r| ≤ π/4.",
            fit(f"cos {precision}", cos_tail, lambda y: y**2, mpf(0), quarter, counts["cos"], rounding))

        if rounding is single:
            gelu(put)

    target = pathlib.Path(__file__).parent.parent / "src/math/coefficients.rs"
    target.write_text("//! Written by `scripts/coefficients.py`: minimax polynomials, the constant coefficient first.\n\n" + "\n".join(out))


def taylor_tanh():
    """tanh(x)/x = 1 + y·Σ: the coefficients of Σ in y = x², from the series of sinh and cosh."""
    n = 26
    s = [1 / mp.factorial(2 * k + 1) for k in range(n)]
    c = [1 / mp.factorial(2 * k) for k in range(n)]
    q = []
    for k in range(n):
        q.append(s[k] - sum(q[j] * c[k - j] for j in range(k)))
    return q[1:]


if __name__ == "__main__":
    main()
