//! Wisconsin's diagnostic breast-cancer data.

use crate::{Classification, CsvOptions, Result};

/// Breast cancer, diagnosed from images of cell nuclei: 569 samples of 30 features, two classes.
///
/// Ten features of each nucleus are measured in the image of a fine-needle aspirate: radius, texture (the deviation of the
/// grey values), perimeter, area, smoothness, compactness (perimeter² / area − 1), concavity, concave points, symmetry, and
/// fractal dimension (of the coastline, − 1). A sample has their mean, the mean's standard error, and the mean of the three
/// largest ("worst"): `mean_radius` is feature 0, `radius_error` 10, `worst_radius` 20. Class 0 is malignant (212), class 1
/// benign (357). Columns differ in size by a factor of 10⁵, and many are almost multiples of each other: scale them.
///
/// ```
/// let data = gradus_datasets::breast_cancer()?;
/// assert_eq!(data.features.shape(), [569, 30]);
/// assert_eq!(data.target_names, ["malignant", "benign"]);
/// assert_eq!(data.features.get([0, 0])?, 17.99);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Units**: lengths in those of the image, which the source does not name; areas in their square; the other features have
/// none.
///
/// **Source**: W. N. Street, W. H. Wolberg, O. L. Mangasarian, Nuclear feature extraction for breast tumor diagnosis, SPIE
/// 1905:861–870, 1993; UCI Machine Learning Repository, data set 17, CC BY 4.0. The numbers are those of scikit-learn 1.9.1.
///
/// # Errors
/// None in practice: the file is part of the crate, and the tests read it.
pub fn breast_cancer() -> Result<Classification> {
    let file = include_bytes!("../data/breast_cancer.csv").as_slice();
    let table = CsvOptions::new().read_from(file, "breast_cancer.csv")?;
    let features: Vec<&str> = table.names().into_iter().filter(|&name| name != "diagnosis").collect();
    Ok(Classification::from_table(&table, &features, "diagnosis")?.with_source(
        "W. N. Street, W. H. Wolberg, O. L. Mangasarian, SPIE 1905:861–870, 1993; UCI Machine Learning Repository, \
         https://doi.org/10.24432/C5DW2B",
        "CC BY 4.0",
    ))
}
