#!/usr/bin/env python3
"""Writes ../data/sunspots.csv: the yearly numbers of sunspots, 1700 to 2008, that come with statsmodels.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install statsmodels==0.15.0
    /tmp/venv/bin/python sunspots.py

A file whose SHA-256 is another than the one below is refused. Only the first line changes: it names the columns as the other files do.
"""

import hashlib
import pathlib

import statsmodels

SOURCE = pathlib.Path(statsmodels.__file__).parent / "datasets" / "sunspots" / "sunspots.csv"
OUT = pathlib.Path(__file__).resolve().parent.parent / "data" / "sunspots.csv"
SHA256 = "f67889b1d9002cd5227f0e0ef54e35b419cdd85a31279adef6f73fb41e5c0a9b"

data = SOURCE.read_bytes()
if hashlib.sha256(data).hexdigest() != SHA256:
    raise SystemExit(f"{SOURCE} is not the file that this script was written for")
_, *rows = data.decode("ascii").splitlines()
OUT.write_bytes(("\n".join(["year,sunspots", *rows]) + "\n").encode("ascii"))
print(f"{OUT.stat().st_size}  {hashlib.sha256(OUT.read_bytes()).hexdigest()}  {OUT.name}")
