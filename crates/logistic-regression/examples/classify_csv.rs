//! Fits a logistic regression to breast cancer data, or to a CSV file of yours, and prints what a statistics program would.
//!
//! `cargo run -p gradus-logistic-regression --example classify_csv`
//! `cargo run -p gradus-logistic-regression --example classify_csv -- FILE TARGET [--l2 1.0] [--columns a,b,c] [--balanced]`

#![allow(clippy::print_stdout)] // a program prints

use clap::Parser;
use gradus_datasets::{Classification, Table, breast_cancer};
use gradus_logistic_regression::{ClassWeights, Error, Fit, LogisticRegression, SoftmaxRegression};
use gradus_tensor::Tensor;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// Logistic regression of a CSV file with one line a sample.
#[derive(Debug, Parser)]
struct Arguments {
    /// The file; the embedded breast cancer data without it.
    file: Option<String>,
    /// The column of the classes; the last one without it.
    target: Option<String>,
    /// The features, separated by commas; without it all other columns (of the embedded data three that don't separate the classes).
    #[arg(long, value_delimiter = ',')]
    columns: Vec<String>,
    /// The penalty on coefficients.
    #[arg(long, default_value_t = 0.0)]
    l2: f64,
    /// Let all classes count alike, however many samples they have.
    #[arg(long)]
    balanced: bool,
    /// The share of the samples that the fit does not see, to judge it by.
    #[arg(long, default_value_t = 0.25)]
    held_out: f64,
    /// Decides which those are.
    #[arg(long, default_value_t = 7)]
    seed: u64,
}

fn main() -> Outcome {
    let a = Arguments::parse();
    let data = read(&a)?;
    println!("{} samples, {} features, from {}", data.len(), data.feature_names.len(), data.source);
    for (k, name) in data.target_names.iter().enumerate() {
        let count = data.target.as_slice().iter().filter(|&&y| y as usize == k).count();
        println!("  class {k}: {name}, {count} samples");
    }
    let (train, test) = data.split(1.0 - a.held_out, a.seed)?;
    let weights = if a.balanced { ClassWeights::Balanced } else { ClassWeights::Equal };
    let outcome = match data.target_names.len() {
        2 => {
            let model = LogisticRegression::new().l2(a.l2).class_weights(weights);
            model.fit(&train.features, &train.target).map(|fit| two_classes(&fit, &train, &test))
        }
        k => several(SoftmaxRegression::new(k).l2(a.l2).class_weights(weights), &train, &test),
    };
    match outcome {
        Ok(printed) => printed,
        Err(Error::Separated(found)) => {
            println!("\nThere is no fit without a penalty: {found}.");
            for (j, name) in data.feature_names.iter().enumerate().filter(|_| data.target_names.len() == 2) {
                println!("  {:>12.4e} of feature {j}, {name}", found.direction[j]);
            }
            println!("Try again with --l2 1.");
            Ok(())
        }
        Err(other) => Err(other.into()),
    }
}

fn read(a: &Arguments) -> Outcome<Classification> {
    let Some(file) = &a.file else {
        let data = breast_cancer()?;
        let standard = ["mean_radius", "mean_texture", "mean_smoothness"].map(str::to_owned).to_vec();
        let wanted = if a.columns.is_empty() && a.l2 == 0.0 { &standard } else { &a.columns };
        return if wanted.is_empty() { Ok(data) } else { chosen(&data, wanted) };
    };
    let table = Table::read(file)?;
    let names: Vec<&str> = table.columns().iter().map(|c| c.name()).collect();
    let target = match &a.target {
        Some(target) => target.as_str(),
        None => names.last().ok_or("the file has no columns")?,
    };
    let all: Vec<&str> = names.iter().copied().filter(|name| *name != target).collect();
    let features = if a.columns.is_empty() { all } else { a.columns.iter().map(String::as_str).collect() };
    Ok(Classification::from_table(&table, &features, target)?)
}

fn chosen(data: &Classification, wanted: &[String]) -> Outcome<Classification> {
    let number = |name: &String| {
        let known = || format!("there is no column `{name}`; there are {}", data.feature_names.join(", "));
        data.feature_names.iter().position(|n| n == name).map(|j| j as u32).ok_or_else(known)
    };
    let numbers = wanted.iter().map(number).collect::<Result<Vec<_>, _>>()?;
    let names: Vec<&str> = wanted.iter().map(String::as_str).collect();
    let features = data.features.gather(1, &numbers)?;
    let own = Classification::new(features, &names, data.target.clone(), data.target_names.clone())?;
    Ok(own.with_source(data.source.clone(), data.licence.clone()))
}

fn two_classes(fit: &Fit, train: &Classification, test: &Classification) -> Outcome {
    println!("\n{}", fit.convergence());
    println!("\nThe log-odds of `{}`:", train.target_names[1]);
    let name = |i: usize| if i == 0 { "(intercept)" } else { &train.feature_names[i - 1] };
    match fit.statistics() {
        Ok(s) => {
            println!(
                "{:24} {:>12} {:>10} {:>8} {:>8}   odds ratio (95 %)",
                "", "coefficient", "std. error", "z", "p"
            );
            for (i, odds) in s.odds_ratios(0.95)?.iter().enumerate() {
                println!(
                    "{:24} {:12.5} {:10.5} {:8.3} {:8.1e}   {:.4} ({:.4} to {:.4})",
                    name(i),
                    s.parameters[i],
                    s.standard_errors[i],
                    s.z_values[i],
                    s.p_values[i],
                    odds.ratio,
                    odds.from,
                    odds.to
                );
            }
            println!(
                "log-likelihood {:.3}, of the intercept alone {:.3}; likelihood ratio {:.3}, p = {:.1e}; pseudo R² {:.4}; AIC {:.2}, BIC {:.2}",
                s.log_likelihood,
                s.null_log_likelihood,
                s.likelihood_ratio,
                s.likelihood_ratio_p,
                s.pseudo_r_squared,
                s.aic,
                s.bic
            );
        }
        // A penalised fit has no standard errors.
        Err(Error::Penalised { l2, .. }) => {
            println!("(with l2 = {l2}: biased towards 0, so there are no standard errors)");
            println!("{:24} {:12.5}", name(0), fit.intercept());
            for (i, c) in fit.coefficients().as_slice().iter().enumerate() {
                println!("{:24} {c:12.5}   odds ratio {:.4}", name(i + 1), c.exp());
            }
        }
        Err(other) => return Err(other.into()),
    }
    for (what, data) in [("fitted", train), ("held out", test)] {
        let counts = fit.confusion(&data.features, &data.target)?;
        let counts: Tensor<u32> = counts.iter().flatten().map(|c| *c as u32).collect();
        let numbers =
            [fit.accuracy(&data.features, &data.target)?, fit.log_loss(&data.features, &data.target)?];
        confusion(what, data, counts.as_slice(), numbers);
    }
    Ok(())
}

fn several(
    model: SoftmaxRegression,
    train: &Classification,
    test: &Classification,
) -> Result<Outcome, Error> {
    let fit = model.fit(&train.features, &train.target)?;
    println!("\n{}\n\nThe scores of the classes:", fit.convergence());
    let line = |name: &str, values: &[f64]| {
        println!("{name:24}{}", values.iter().map(|v| format!(" {v:12.5}")).collect::<String>());
    };
    line("(intercept)", fit.intercepts().as_slice());
    for (name, row) in
        train.feature_names.iter().zip(fit.coefficients().as_slice().chunks_exact(fit.classes()))
    {
        line(name, row);
    }
    for (what, data) in [("fitted", train), ("held out", test)] {
        let counts = fit.confusion(&data.features, &data.target)?;
        let numbers =
            [fit.accuracy(&data.features, &data.target)?, fit.log_loss(&data.features, &data.target)?];
        confusion(what, data, counts.as_slice(), numbers);
    }
    Ok(Ok(()))
}

/// Counts by truth (rows) and guess (columns).
fn confusion(what: &str, data: &Classification, counts: &[u32], [accuracy, loss]: [f64; 2]) {
    println!(
        "\n{what}: {:.1} % of {} right, loss {loss:.4}. Rows: the truth; columns: the guess.",
        100.0 * accuracy,
        data.len()
    );
    let classes = data.target_names.len();
    for (name, row) in data.target_names.iter().zip(counts.chunks_exact(classes)) {
        println!("{name:>16}{}", row.iter().map(|n| format!("{n:6}")).collect::<String>());
    }
}
