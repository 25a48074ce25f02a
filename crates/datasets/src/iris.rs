//! Fisher's iris.

use crate::{Classification, CsvOptions, Result};

/// Fisher's iris: 150 flowers of three species, four lengths each, in centimetres.
///
/// The first 50 samples are setosa (class 0), then 50 versicolor (1), then 50 virginica (2). Setosa is linearly
/// separable from the other two; they are not from each other.
///
/// ```
/// let iris = gradus_datasets::iris()?;
/// assert_eq!(iris.features.shape(), [150, 4]);
/// assert_eq!(iris.target_names, ["setosa", "versicolor", "virginica"]);
/// assert_eq!(iris.features.select(0, 0)?, [5.1, 3.5, 1.4, 0.2].into());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source**: R. A. Fisher, The use of multiple measurements in taxonomic problems, Annals of Eugenics 7(2):179–188,
/// 1936, table I (measured by E. Anderson); UCI Machine Learning Repository, data set 53, CC BY 4.0. The numbers are those of
/// scikit-learn 1.9.1. They follow Fisher's paper in the two samples that UCI's file has wrong: sample 35 is
/// 4.9, 3.1, 1.5, **0.2** (UCI: 0.1), sample 38 is 4.9, **3.6**, **1.4**, 0.1 (UCI: 3.1 and 1.5).
///
/// # Errors
/// None in practice: the file is part of the crate, and the tests read it.
pub fn iris() -> Result<Classification> {
    let table = CsvOptions::new().read_from(include_bytes!("../data/iris.csv").as_slice(), "iris.csv")?;
    let features = ["sepal_length_cm", "sepal_width_cm", "petal_length_cm", "petal_width_cm"];
    Ok(Classification::from_table(&table, &features, "species")?.with_source(
        "R. A. Fisher, Annals of Eugenics 7(2):179–188, 1936; UCI Machine Learning Repository, \
         https://doi.org/10.24432/C56C76; samples 35 and 38 as in Fisher's paper",
        "CC BY 4.0",
    ))
}
