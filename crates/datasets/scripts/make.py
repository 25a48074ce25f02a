#!/usr/bin/env python3
"""Writes the files of ../data that come from scikit-learn, and ../tests/golden.csv, what scikit-learn says of them.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install scikit-learn==1.9.1
    /tmp/venv/bin/python make.py

Origins and licences stand with the functions that return the sets. The numbers are copied as scikit-learn's files spell
them (sklearn/datasets/data); a file whose SHA-256 is another than the one below is refused. What changes: the first line
names the columns, a class stands by its name, the two files of the diabetes set become one, a pixel of the digits becomes one
character (0 to 9, a to g for 10 to 16). The golden numbers come from scikit-learn's loaders and NumPy, not from these files.
"""

import gzip
import hashlib
import pathlib

import numpy as np
import sklearn.datasets as sets

SOURCE = pathlib.Path(sets.__file__).parent / "data"
CRATE = pathlib.Path(__file__).resolve().parent.parent
SHA256 = {
    "breast_cancer.csv": "fed3eb72d0575ef6192293f5093c6e801b1476b577d0386bf4455504522172ed",
    "diabetes_data_raw.csv.gz": "7fc0ded571454b1982210d3bb43f0aca44eae01a0b8654a3b24022bdb6b38009",
    "diabetes_target.csv.gz": "8e53f65eb811df43c206f3534bb3af0e5fed213bc37ed6ba36310157d6023803",
    "digits.csv.gz": "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22",
    "iris.csv": "f13ffa8fdd56fd8e6c8d16d4081a3fbd3114bcd0aae4256c43205169cd9d1449",
    "wine_data.csv": "10e8a802908b34f86e5da8ce962f3c806694bc98450a18f61851af59f324bede",
}
IRIS = "sepal_length_cm,sepal_width_cm,petal_length_cm,petal_width_cm,species"
DIABETES = "age_years,sex,bmi_kg_m2,bp_mmhg,s1_tc,s2_ldl,s3_hdl,s4_tch,s5_ltg,s6_glu,progression"
WINE = (
    "alcohol,malic_acid,ash,alcalinity_of_ash,magnesium,total_phenols,flavanoids,nonflavanoid_phenols,"
    "proanthocyanins,color_intensity,hue,od280_od315,proline,cultivar"
)
PIXELS = "0123456789abcdefg"


def lines(name):
    data = (SOURCE / name).read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256[name]:
        raise SystemExit(f"{name} is not the file that this script was written for")
    text = gzip.decompress(data) if name.endswith(".gz") else data
    return text.decode("ascii").splitlines()


def write(name, rows):
    path = CRATE / name
    path.write_bytes(("\n".join(rows) + "\n").encode("ascii"))
    print(f"{path.stat().st_size:7}  {hashlib.sha256(path.read_bytes()).hexdigest()}  {name}")


def with_classes(name, header):
    """The rows of one of scikit-learn's own CSV files, whose first line is counts and class names."""
    first, *rows = lines(name)
    classes = first.split(",")[2:]
    split = (row.rpartition(",") for row in rows)
    return [header] + [f"{numbers},{classes[int(kind)]}" for numbers, _, kind in split]


def plain(number):
    """1.51e+02 as 151: every target of the diabetes set is a whole number."""
    assert float(number) == int(float(number)), number
    return str(int(float(number)))


iris = with_classes("iris.csv", IRIS)
assert iris[35] == "4.9,3.1,1.5,0.2,setosa" and iris[38] == "4.9,3.6,1.4,0.1,setosa", "not as Fisher printed them"
write("data/iris.csv", iris)

names = [name.replace(" ", "_") for name in sets.load_breast_cancer().feature_names]
write("data/breast_cancer.csv", with_classes("breast_cancer.csv", ",".join([*names, "diagnosis"])))
write("data/wine.csv", with_classes("wine_data.csv", WINE))

rows = zip(lines("diabetes_data_raw.csv.gz"), lines("diabetes_target.csv.gz"), strict=True)
write("data/diabetes.csv", [DIABETES] + [",".join([*x.split(), plain(y)]) for x, y in rows])

digits = [[int(float(cell)) for cell in row.split(",")] for row in lines("digits.csv.gz")]
write("data/digits.txt", ["".join(PIXELS[v] for v in row[:64]) + str(row[64]) for row in digits])

# What scikit-learn says: for each column the mean, the standard deviation (of the population), the first and last value.
golden = ["set,item,mean,deviation,first,last"]


def describe(name, features, target):
    columns = [*(np.asarray(features, dtype=float).T), np.asarray(target, dtype=float)]
    for i, c in enumerate(columns):
        item = "target" if i == len(columns) - 1 else f"x{i}"
        golden.append(",".join([name, item, *(repr(float(v)) for v in (c.mean(), c.std(), c[0], c[-1]))]))


for name, loaded in {
    "iris": sets.load_iris(),
    "breast_cancer": sets.load_breast_cancer(),
    "wine": sets.load_wine(),
    "digits": sets.load_digits(),
    "diabetes": sets.load_diabetes(scaled=False),
    "diabetes_scaled": sets.load_diabetes(),
}.items():
    describe(name, loaded.data, loaded.target)
# The generators without noise, which are curves.
describe("two_moons", *sets.make_moons((7, 5), shuffle=False))
describe("circles", *sets.make_circles((7, 5), factor=0.4, shuffle=False))
write("tests/golden.csv", golden)
