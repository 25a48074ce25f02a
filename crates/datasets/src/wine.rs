//! Forina's wines.

use crate::{Classification, CsvOptions, Result};

/// Wines of one region of Italy, by three cultivars: 178 samples of 13 chemical measurements.
///
/// The first 59 samples are of class 0, then 71 of class 1, then 48 of class 2. The classes are separable once the columns
/// are scaled; unscaled, proline (278 to 1680) drowns all others.
///
/// ```
/// let wine = gradus_datasets::wine()?;
/// assert_eq!(wine.features.shape(), [178, 13]);
/// assert_eq!(wine.target_names, ["class_0", "class_1", "class_2"]);
/// assert_eq!(wine.feature_names[12], "proline");
/// assert_eq!(wine.features.get([0, 12])?, 1065.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Units**: the source names none. Alcohol is evidently in percent by volume; hue and OD280/OD315 are ratios.
///
/// **Source**: M. Forina et al., PARVUS, Institute of Pharmaceutical and Food Analysis and Technologies, Genoa; UCI Machine
/// Learning Repository, data set 109, CC BY 4.0. The numbers are those of scikit-learn 1.9.1.
///
/// # Errors
/// None in practice: the file is part of the crate, and the tests read it.
pub fn wine() -> Result<Classification> {
    let table = CsvOptions::new().read_from(include_bytes!("../data/wine.csv").as_slice(), "wine.csv")?;
    let features: Vec<&str> = table.names().into_iter().filter(|&name| name != "cultivar").collect();
    Ok(Classification::from_table(&table, &features, "cultivar")?.with_source(
        "M. Forina et al., PARVUS, Genoa; UCI Machine Learning Repository, https://doi.org/10.24432/C5PC7J",
        "CC BY 4.0",
    ))
}
