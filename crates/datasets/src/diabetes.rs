//! The diabetes data of Efron, Hastie, Johnstone and Tibshirani.

use crate::{CsvOptions, Regression, Result};

const FEATURES: [&str; 10] =
    ["age_years", "sex", "bmi_kg_m2", "bp_mmhg", "s1_tc", "s2_ldl", "s3_hdl", "s4_tch", "s5_ltg", "s6_glu"];

/// Diabetes: 442 patients, ten measurements at the start, and how far the disease had progressed a year later.
///
/// As measured, which scikit-learn calls `scaled=False`; [`diabetes_scaled`] is its default. The six serum values s1 to s6
/// are total cholesterol, LDL, HDL, total cholesterol over HDL, the logarithm (probably) of triglycerides, and glucose. `s1`
/// and `s2` are almost collinear: their variance inflation factors are 59 and 39.
///
/// ```
/// let data = gradus_datasets::diabetes()?;
/// assert_eq!(data.features.shape(), [442, 10]);
/// assert_eq!(data.target_names, ["progression"]);
/// assert_eq!(data.features.select(0, 0)?.as_slice()[..4], [59.0, 2.0, 32.1, 101.0]);
/// assert_eq!(data.target.get([0])?, 151.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Units**: age in years; sex is 1 or 2, the source does not say which is which; body mass index in kg/m²; the average
/// blood pressure by its size in mmHg; s1, s2, s3 and s6 by their size in mg/dL; s4 is a ratio; progression, from 25 to 346, is a
/// score without a unit.
///
/// **Source**: B. Efron, T. Hastie, I. Johnstone, R. Tibshirani, Least angle regression, Annals of Statistics
/// 32(2):407–499, 2004; <https://www4.stat.ncsu.edu/~boos/var.select/diabetes.html>. The authors state no licence; scikit-learn,
/// whose version 1.9.1 the numbers are from, distributes them under BSD-3-Clause.
///
/// # Errors
/// None in practice: the file is part of the crate, and the tests read it.
pub fn diabetes() -> Result<Regression> {
    let table =
        CsvOptions::new().read_from(include_bytes!("../data/diabetes.csv").as_slice(), "diabetes.csv")?;
    Ok(Regression::from_table(&table, &FEATURES, "progression")?.with_source(
        "B. Efron, T. Hastie, I. Johnstone, R. Tibshirani, Annals of Statistics 32(2):407–499, 2004; \
         https://www4.stat.ncsu.edu/~boos/var.select/diabetes.html",
        "none stated by the authors; distributed with scikit-learn under BSD-3-Clause",
    ))
}

/// [`diabetes`] with each feature's mean subtracted and each column then divided by its length, so that its squares add up
/// to 1; the target stays as it is. This is what scikit-learn's `load_diabetes()` returns, up to rounding.
///
/// The means and lengths are those of all 442 patients: who splits these samples has let the test part look at the training.
///
/// ```
/// let data = gradus_datasets::diabetes_scaled()?;
/// let ages = data.features.select(1, 0)?;
/// assert!(ages.sum().abs() < 1e-12 && (ages.dot(&ages)? - 1.0).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Units**: none, but for the target. **Source**: as [`diabetes`].
///
/// # Errors
/// None in practice, as [`diabetes`].
pub fn diabetes_scaled() -> Result<Regression> {
    let raw = diabetes()?;
    let centred = raw.features.sub(&raw.features.mean_axis(0)?)?;
    let lengths = centred.map(|v| v * v).sum_axis(0)?.sqrt();
    Ok(Regression { features: centred.div(&lengths)?, ..raw })
}
