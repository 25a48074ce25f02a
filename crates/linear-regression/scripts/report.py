#!/usr/bin/env python3
"""Writes ../tests/report.csv: what statsmodels says of the diabetes data, for the report of the example fit_csv.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install statsmodels==0.15.0
    /tmp/venv/bin/python report.py

Four fits: all columns; without the intercept; with weights 1, 2, 3, 1, 2, 3, ... (WLS: variance weights, the degrees of
freedom are rows minus parameters); two columns at a confidence of 0.9. statsmodels' OLSInfluence and its inflation factors leave weights
out: of the weighted fit they are those of the same fit to rows multiplied by the root of their weight.
"""

import pathlib

import numpy as np
import pandas as pd
import statsmodels.api as sm
from statsmodels.stats.stattools import durbin_watson, jarque_bera, omni_normtest

CRATES = pathlib.Path(__file__).resolve().parents[2]
data = pd.read_csv(CRATES / "datasets/data/diabetes.csv").astype(float)
y = data.pop("progression")
weights = pd.Series(1.0 + np.arange(len(y)) % 3)
out = ["case,item,value"]


def case(name, x, w=None, alpha=0.05, intercept=True):
    x = sm.add_constant(x, prepend=True) if intercept else x
    fit = (sm.OLS(y, x) if w is None else sm.WLS(y, x, weights=w)).fit()

    def put(item, value):
        out.append(f"{name},{item},{float(value)!r}")

    for item, value in {
        "R-squared": fit.rsquared,
        "Adj. R-squared": fit.rsquared_adj,
        "F-statistic": fit.fvalue,
        "Prob (F-statistic)": fit.f_pvalue,
        "Log-likelihood": fit.llf,
        "AIC": fit.aic,
        "BIC": fit.bic,
        "Cond. no.": fit.condition_number,
        "No. observations": fit.nobs,
        "Df residuals": fit.df_resid,
        "Df model": fit.df_model,
        "Residual std. dev.": np.sqrt(fit.mse_resid),
        "Durbin-Watson": durbin_watson(fit.wresid),
    }.items():
        put(item, value)
    jb, jb_p, skew, kurtosis = jarque_bera(fit.wresid)
    omnibus, omnibus_p = omni_normtest(fit.wresid)
    for item, value in zip(
        ["Jarque-Bera (JB)", "Prob(JB)", "Skew", "Kurtosis", "Omnibus", "Prob(Omnibus)"],
        [jb, jb_p, skew, kurtosis, omnibus, omnibus_p],
    ):
        put(item, value)
    root = 1.0 if w is None else np.sqrt(w)
    whitened = sm.OLS(y * root, x.mul(root, axis=0)).fit()
    intervals = fit.conf_int(alpha)
    for column in x.columns:
        statistics = [fit.params, fit.bse, fit.tvalues, fit.pvalues, intervals[0], intervals[1]]
        for item, values in zip(["coef", "std err", "t", "P>|t|", "low", "high"], statistics):
            put(f"{column}|{item}", values[column])
        if column != "const":
            # 1/(1 - R²) of the column on the others, as TSS/RSS; R² is about 0 without the intercept.
            others, one = x.drop(columns=column), x[column]
            inner = (sm.OLS(one, others) if w is None else sm.WLS(one, others, weights=w)).fit()
            total = inner.centered_tss if intercept else inner.uncentered_tss
            put(f"{column}|VIF", total / inner.ssr)
    influence = whitened.get_influence()
    cook = influence.cooks_distance[0]
    for i in np.argsort(-cook, kind="stable")[:5]:
        line = i + 2  # the header is line 1
        put(f"line {line}|Cook's D", cook[i])
        put(f"line {line}|leverage", influence.hat_matrix_diag[i])
        put(f"line {line}|studentised", influence.resid_studentized_external[i])


case("all", data)
case("no-intercept", data, intercept=False)
case("weighted", data, w=weights)
case("two", data[["bmi_kg_m2", "s5_ltg"]], alpha=0.1)
path = CRATES / "linear-regression/tests/report.csv"
path.write_text("\n".join(out) + "\n")
print(f"{path.name}: {len(out) - 1} numbers")
