#!/usr/bin/env python3
"""Writes iris.csv, from the file that scikit-learn carries.

    pip download scikit-learn==1.9.1 --no-deps
    python3 make.py scikit_learn-1.9.1-*.whl

Origin: R. A. Fisher, The use of multiple measurements in taxonomic problems, Annals of Eugenics 7(2):179-188, 1936;
UCI Machine Learning Repository, https://doi.org/10.24432/C56C76, CC BY 4.0. The file in the wheel,
sklearn/datasets/data/iris.csv, follows Fisher's paper where UCI's file departs from it: samples 35 and 38.

The numbers are copied as they are spelled. Only the first line (counts and class names) becomes a header that names the
columns, and the class number becomes the species.
"""

import hashlib
import pathlib
import sys
import zipfile

MEMBER = "sklearn/datasets/data/iris.csv"
SHA256 = "f13ffa8fdd56fd8e6c8d16d4081a3fbd3114bcd0aae4256c43205169cd9d1449"
HEADER = "sepal_length_cm,sepal_width_cm,petal_length_cm,petal_width_cm,species"

if len(sys.argv) != 2:
    sys.exit(__doc__)
data = zipfile.ZipFile(sys.argv[1]).read(MEMBER)
if hashlib.sha256(data).hexdigest() != SHA256:
    sys.exit(f"{sys.argv[1]}: {MEMBER} is not the file this script was written for")
first, *rows = data.decode("ascii").splitlines()
species = first.split(",")[2:]
out = [HEADER]
for row in rows:
    lengths, _, kind = row.rpartition(",")
    out.append(f"{lengths},{species[int(kind)]}")
assert out[35] == "4.9,3.1,1.5,0.2,setosa" and out[38] == "4.9,3.6,1.4,0.1,setosa", "not as Fisher printed them"
pathlib.Path(__file__).with_name("iris.csv").write_bytes(("\n".join(out) + "\n").encode("ascii"))
