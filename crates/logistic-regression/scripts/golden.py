#!/usr/bin/env python3
"""Writes ../tests/golden.csv: coefficients of scikit-learn, and of statsmodels with standard errors, on the embedded data.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install scikit-learn==1.9.1 statsmodels==0.15.0
    /tmp/venv/bin/python golden.py

scikit-learn: LogisticRegression by newton-cholesky at a tolerance of 1e-13 (the exact optimum as far as doubles go), C = 1:
breast cancer raw and standardised (ddof 0), iris (three classes, and the last two);
`scaled` is breast cancer's first five columns times 1e-6, 1e-3, 1, 1e3, 1e6 with an offset of a hundred deviations in the second;
`balanced` has class_weight='balanced', `weighted` the sample weights 1, 2, 3, 1, ...
statsmodels: Logit on Spector's data (Spector & Mazzeo 1980) and on breast cancer's columns 0, 1, 4 without a penalty; MNLogit on iris' two
petal columns is separated, so on its sepal columns with a third of the flowers' classes moved on by one.
"""

import pathlib

import numpy as np
import pandas as pd
import sklearn
import statsmodels
import statsmodels.api as sm
from sklearn.linear_model import LogisticRegression

CRATES = pathlib.Path(__file__).resolve().parents[2]
out = [f"# scikit-learn {sklearn.__version__}, statsmodels {statsmodels.__version__}, numpy {np.__version__}", "case,item,value"]


def put(case, item, values):
    out.extend(f"{case},{item},{float(v)!r}" for v in np.ravel(values))


def read(name):
    data = pd.read_csv(CRATES / f"datasets/data/{name}.csv")
    labels = data.pop(data.columns[-1])
    names = list(dict.fromkeys(labels))
    return data.to_numpy(float), labels.map(names.index).to_numpy()


def fit(case, x, y, w=None, **options):
    model = LogisticRegression(solver="newton-cholesky", tol=1e-13, max_iter=1000, **{"C": 1.0, **options})
    model.fit(x, y, sample_weight=w)
    put(case, "coefficient", model.coef_.T)
    put(case, "intercept", model.intercept_)


cancer_x, cancer_y = read("breast_cancer")
standard = (cancer_x - cancer_x.mean(0)) / cancer_x.std(0)
fit("cancer", cancer_x, cancer_y)
fit("cancer-standardised", standard, cancer_y)
fit("cancer-balanced", standard, cancer_y, class_weight="balanced")
fit("cancer-weighted", standard, cancer_y, w=1.0 + np.arange(len(cancer_y)) % 3, C=0.1)
fit("cancer-no-intercept", standard, cancer_y, fit_intercept=False)
five = cancer_x[:, :5] * 10.0 ** np.array([-6, -3, 0, 3, 6])
five[:, 1] += 100 * five[:, 1].std()
fit("scaled", five, cancer_y)
iris_x, iris_y = read("iris")
fit("iris", iris_x, iris_y)
fit("iris-two", iris_x[50:], iris_y[50:] - 1)

spector = sm.datasets.spector.load_pandas()
put("spector-data", "gpa", spector.exog["GPA"])
put("spector-data", "tuce", spector.exog["TUCE"])
put("spector-data", "psi", spector.exog["PSI"])
put("spector-data", "grade", spector.endog)


def logit(case, x, y):
    model = sm.Logit(y, sm.add_constant(x, prepend=True)).fit(method="newton", tol=1e-14, maxiter=200, disp=0)
    put(case, "parameter", model.params)
    put(case, "standard error", model.bse)
    put(case, "p", model.pvalues)
    put(case, "log-likelihood", model.llf)
    put(case, "null log-likelihood", model.llnull)
    put(case, "likelihood ratio p", model.llr_pvalue)
    put(case, "pseudo R2", model.prsquared)
    put(case, "aic", model.aic)
    put(case, "bic", model.bic)
    put(case, "interval", np.asarray(model.conf_int(0.1)))


logit("spector", spector.exog.to_numpy(float), spector.endog.to_numpy(float))
logit("cancer-three", cancer_x[:, [0, 1, 4]], cancer_y)
mixed = (iris_y + (np.arange(150) % 3 == 0)) % 3
multi = sm.MNLogit(mixed, sm.add_constant(iris_x[:, :2], prepend=True)).fit(method="newton", tol=1e-14, maxiter=200, disp=0)
put("multinomial", "parameter", np.asarray(multi.params))
put("multinomial", "standard error", np.asarray(multi.bse))
put("multinomial", "log-likelihood", multi.llf)
(CRATES / "logistic-regression/tests/golden.csv").write_text("\n".join(out) + "\n")
