//! The yearly numbers of sunspots.

use crate::{CsvOptions, Regression, Result};

/// Sunspots: how many there were on average in each of the 309 years from 1700 to 2008. A series to forecast: it rises and falls in about
/// eleven years, never twice alike.
///
/// ```
/// let data = gradus_datasets::sunspots()?;
/// assert_eq!(data.features.shape(), [309, 1]);
/// assert_eq!((data.features.get([0, 0])?, data.target.get([0])?), (1700.0, 5.0));
/// let busiest = data.target.max()?;
/// assert_eq!(busiest, 190.2); // 1957
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Units**: the feature is the year, the target the (Wolf) sunspot number, which counts groups ten times.
///
/// **Source**: National Geophysical Data Center, <http://www.ngdc.noaa.gov/stp/solar/solarda3.html>, in the public domain; as in version 0.15.0 of
/// statsmodels.
///
/// # Errors
/// None in practice: the file is part of the crate, and the tests read it.
pub fn sunspots() -> Result<Regression> {
    let table =
        CsvOptions::new().read_from(include_bytes!("../data/sunspots.csv").as_slice(), "sunspots.csv")?;
    Ok(Regression::from_table(&table, &["year"], "sunspots")?.with_source(
        "National Geophysical Data Center, http://www.ngdc.noaa.gov/stp/solar/solarda3.html",
        "public domain",
    ))
}
