//! The printed table, to the character, and its refusals.
#![allow(clippy::unwrap_used)] // helpers of the tests

use gradus_linear_regression::{Error, Fit, LinearRegression, fit_polynomial};
use gradus_tensor::Tensor;

fn fit() -> Fit {
    let x = Tensor::from([[1.0, 2.0], [2.0, 1.0], [3.0, 5.0], [4.0, 3.0], [5.0, 8.0]]);
    LinearRegression::new().fit(&x, &Tensor::from([3.1, 4.0, 8.9, 8.1, 14.2])).unwrap()
}

#[test]
fn the_layout_is_this() {
    let expected = "\
══════════════════════════════════════════════════════════════════════════════
samples                             5    R²                             0.9980
degrees of freedom                  2    adjusted R²                    0.9959
residual std. error            0.2835    F                              488.64
condition number               7.7514    P(F)                           0.0020
──────────────────────────────────────────────────────────────────────────────
                        coef   std err         t   P>|t|     [0.025     0.975]
(intercept)           0.1357    0.2992    0.4535   0.695    -1.1518     1.4232
rain                  1.3500    0.1487    9.0814   0.012     0.7104     1.9896
sun                   0.9143    0.0847    10.794   0.008     0.5498     1.2787
──────────────────────────────────────────────────────────────────────────────
Method::Qr:
the columns are independent: condition number 7.8e0, only 5 rows for 3 columns
══════════════════════════════════════════════════════════════════════════════";
    assert_eq!(fit().summary(&["rain", "sun"], 0, 0.95).unwrap().to_string(), expected);
}

#[test]
fn names_default_and_are_cut_and_the_width_stays() {
    let plain = fit().summary(&[], 0, 0.9).unwrap().to_string();
    for fragment in ["\nx1  ", "\nx2  ", "[0.05", "0.95]"] {
        assert!(plain.contains(fragment), "{plain}");
    }
    let long = fit().summary(&["the first of these columns", "µ"], 0, 0.999).unwrap().to_string();
    assert!(
        long.contains("the first of the…") && long.contains("[0.0005") && long.contains("0.9995]"),
        "{long}"
    );
    assert!(long.lines().all(|line| line.chars().count() <= 78), "{long}");
    let big = Tensor::from([[1e-7], [2e-7], [4e-7], [9e-7]]);
    let fit = LinearRegression::new().fit(&big, &Tensor::from([1.0e9, 2.5e9, -4.0e9, 1e9])).unwrap();
    let table = fit.summary(&[], 0, 0.95).unwrap().to_string();
    assert!(table.lines().all(|line| line.chars().count() <= 78), "{table}");
    // No condition number is computed for powers in double-double.
    let fit = fit_polynomial(&[0.0, 1.0, 2.0, 3.0], &[1.0, 0.0, 3.0, 4.0], 1).unwrap();
    assert!(fit.summary(&[], 0, 0.95).unwrap().to_string().contains("not computed"));
}

#[test]
fn what_it_can_not_say_it_refuses() {
    let error = fit().summary(&["rain"], 0, 0.95).unwrap_err();
    assert_eq!(error, Error::Names { expected: 2, got: 1 });
    assert_eq!(error.to_string(), "there are 1 names, expected 2, one for each column of X, or none");
    assert!(fit().summary(&[], 1, 0.95).unwrap_err().to_string().contains("index 1"));
    assert!(fit().summary(&[], 0, 1.0).unwrap_err().to_string().contains("confidence = 1"));
}
