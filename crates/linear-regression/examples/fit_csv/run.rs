//! From the options to the report and the plots.

use crate::data::{self, Sample};
use crate::diagnostics::{Diagnostics, weighted};
use crate::options::Options;
use crate::plots::{self, Plot};
use crate::report;
use anyhow::{Context, Result, ensure};
use gradus_linear_regression::{Fit, LinearRegression};
use std::path::Path;

/// Reads, fits, draws; the report is returned.
pub(crate) fn run(options: &Options) -> Result<String> {
    ensure!(
        options.confidence > 0.0 && options.confidence < 1.0,
        "--confidence {} (allowed: strictly between 0 and 1)",
        options.confidence
    );
    let sample = data::sample(&data::table(options)?, options)?;
    let fit = fit(&sample, options)?;
    let weights = sample.weights.as_deref();
    let (mut report, plots) = if options.ridge > 0.0 {
        let residuals = weighted(&fit.residuals().select(1, 0)?.into_vec(), weights);
        let report = report::ridge_report(&sample, &fit, options.ridge, &residuals)?;
        (report, plots::of_ridge(&sample, &fit, &residuals)?)
    } else {
        let statistics = fit.statistics(0)?;
        let diagnostics = Diagnostics::of(&fit, &statistics, &sample.x, weights)?;
        let report = report::report(&sample, &fit, &statistics, &diagnostics, options.confidence)?;
        (report, plots::of_fit(&sample, &fit, &statistics, &diagnostics)?)
    };
    if let Some(folder) = &options.plots {
        report += &write(folder, &plots)?;
    }
    Ok(report)
}

/// The fit that the options ask for.
pub(crate) fn fit(sample: &Sample, options: &Options) -> Result<Fit> {
    let mut model = LinearRegression::new()
        .intercept(!options.no_intercept)
        .method(options.method.into())
        .ridge(options.ridge);
    if let Some(weights) = &sample.weights {
        model = model.weights(weights);
    }
    Ok(model.fit(&sample.x, &sample.y)?)
}

fn write(folder: &Path, plots: &[Plot]) -> Result<String> {
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let mut written = String::new();
    for plot in plots {
        let path = folder.join(format!("{}.svg", plot.name));
        std::fs::write(&path, plot.svg()?).with_context(|| path.display().to_string())?;
        written += &format!("wrote {}\n", path.display());
    }
    Ok(written)
}
