//! A forecast of the number of sunspots, a year ahead: an LSTM beside persistence and a linear autoregression.
//!
//! `cargo run --release -p gradus-lstm --example forecast` takes the yearly numbers that are embedded in `gradus-datasets`; `--csv FILE --column NAME` takes a series of yours. `--plot FILE.svg` draws
//! the forecasts of the last part, which nothing has learned from.
#![allow(clippy::print_stdout)] // a program prints

use clap::Parser;
use gradus_autograd::{Layer, Mode, Var, no_grad, parameters};
use gradus_datasets::{CsvOptions, sunspots};
use gradus_layers::Linear;
use gradus_linear_regression::LinearRegression;
use gradus_losses::{Elementwise, Mse, Reduction};
use gradus_lstm::{Lstm, LstmShape};
use gradus_optimization::Adam;
use gradus_tensor::{Scalar, Tensor};
use gradus_training::{Batches, Error, Evaluation, Options, Recipe, Result};
use plotters::prelude::*;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use std::path::{Path, PathBuf};

/// Trains an LSTM to forecast the next value of a series; prints its error beside those of two baselines.
#[derive(Debug, Parser)]
struct Arguments {
    /// A CSV file; without it, the yearly numbers of sunspots from 1700 to 2008.
    #[arg(long, value_name = "FILE", requires = "column")]
    csv: Option<PathBuf>,
    /// The column that is the series.
    #[arg(long)]
    column: Option<String>,
    /// The part of the series, its end, that is kept to judge by.
    #[arg(long, default_value_t = 0.3)]
    test: f64,
    /// The steps of a training window.
    #[arg(long, default_value_t = 44)]
    window: usize,
    /// How many values before one the linear model sees.
    #[arg(long, default_value_t = 9)]
    lags: usize,
    /// The units.
    #[arg(long, default_value_t = 16)]
    hidden: usize,
    /// How many networks there are whose mean is the forecast.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..))]
    networks: u8,
    /// Draws the series and the forecasts into this SVG file.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    #[command(flatten)]
    training: Options,
}

/// One network.
struct Member<T: Scalar> {
    lstm: Lstm<T>,
    head: Linear<T>,
}

parameters!(Member<T> { lstm, head });

impl<T: Scalar> Member<T> {
    /// What follows each value of `[N, T, 1]`: the value itself, and a change that the network expects.
    fn next(&self, x: &Var<T>) -> gradus_tensor::Result<Var<T>> {
        self.head.forward(&self.lstm.forward(x, &mut Mode::Eval)?, &mut Mode::Eval)?.add(x)
    }
}

/// Several that begin differently: of so few values each learns something else, and their mean errs less than they do.
struct Net<T: Scalar> {
    members: Vec<Member<T>>,
}

parameters!(Net<T> { members });

impl<T: Scalar> Net<T> {
    fn mean(&self, x: &Var<T>) -> gradus_tensor::Result<Tensor<T>> {
        let said =
            self.members.iter().map(|m| Ok(m.next(x)?.value())).collect::<gradus_tensor::Result<Vec<_>>>()?;
        Tensor::stack(&said.iter().collect::<Vec<_>>(), 0)?.mean_axis(0)
    }
}

fn read(a: &Arguments) -> Result<Vec<f64>> {
    let (Some(file), Some(column)) = (&a.csv, &a.column) else {
        return Ok(sunspots().map_err(Error::other)?.target.into_vec());
    };
    let table = CsvOptions::new().read(file).map_err(Error::other)?;
    Ok(table.column(column).map_err(Error::other)?.into_vec())
}

/// The root of the mean squared error of forecasts for the values from `first` on.
fn error(series: &[f64], first: usize, forecast: impl Fn(usize) -> f64) -> f64 {
    let squares = (first..series.len()).map(|t| (forecast(t) - series[t]).powi(2));
    (squares.sum::<f64>() / (series.len() - first) as f64).sqrt()
}

/// A linear model of the values before, fitted to those before `first`.
fn autoregression(series: &[f64], first: usize, lags: usize) -> Result<Vec<f64>> {
    let row = |t: usize| series[t - lags..t].to_vec();
    let rows: Vec<f64> = (lags..first).flat_map(row).collect();
    let x = Tensor::from_vec(rows, [first - lags, lags])?;
    let fit = LinearRegression::new().fit(&x, &series[lags..first].to_vec().into()).map_err(Error::other)?;
    let all: Vec<f64> = (lags..series.len()).flat_map(row).collect();
    let said = fit.predict(&Tensor::from_vec(all, [series.len() - lags, lags])?).map_err(Error::other)?;
    Ok([vec![f64::NAN; lags], said.into_vec()].concat())
}

fn run(a: &Arguments) -> Result<()> {
    let recipe = Recipe { epochs: 30, batch: 16, rate: 0.01, warmup: None };
    let series = read(a)?;
    let first = ((1.0 - a.test) * series.len() as f64) as usize;
    if first - first / 5 < a.window + 2 || a.lags == 0 || first < 2 * a.lags + 2 || first >= series.len() {
        let why = format!(
            "{} values are too few for a test of {} of them, windows of {} and {} lags",
            series.len(),
            a.test,
            a.window,
            a.lags
        );
        return Err(Error::other(why));
    }
    // Scaled by what the training part is like; nothing is known of the rest.
    let known = &series[..first];
    let mean = known.iter().sum::<f64>() / first as f64;
    let deviation = (known.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / first as f64).sqrt();
    let scaled: Vec<f32> = series.iter().map(|v| ((v - mean) / deviation) as f32).collect();
    let rng = &mut ChaCha8Rng::seed_from_u64(a.training.seed);
    let member = |_| {
        let lstm = Lstm::<f32>::new(LstmShape::new(1, a.hidden), &mut *rng)?;
        Ok(Member { lstm, head: Linear::new(a.hidden, 1, &mut *rng)? })
    };
    let net = Net { members: (0..a.networks).map(member).collect::<Result<_>>()? };
    // The last fifth of what is known is not learned from: it tells when to stop.
    let learned = first - first / 5;
    let batches = Batches::new(learned - a.window, a.training.batch(&recipe))?.shuffled();
    let all = Var::constant(Tensor::from_vec(scaled.clone(), [1, scaled.len(), 1])?);
    let said = || no_grad(|| net.mean(&all));
    let mut validate = || {
        let said = said()?;
        let squares = (learned..first).map(|t| f64::from(said.as_slice()[t - 1] - scaled[t]).powi(2));
        Ok(Evaluation { loss: squares.sum::<f64>() / (first - learned) as f64, accuracy: None })
    };
    let loss = Elementwise { loss: Mse, reduction: Reduction::Mean };
    let mut optimizer = Adam::new(recipe.rate);
    a.training.run(&net, &mut optimizer, &recipe, batches, Some(&mut validate), |numbers, _| {
        let take = |by: usize| {
            let all = numbers.iter().flat_map(|&n| &scaled[n as usize + by..n as usize + by + a.window]);
            Tensor::from_vec(all.copied().collect(), [numbers.len(), a.window, 1])
        };
        let (x, next) = (Var::constant(take(0)?), Var::constant(take(1)?));
        let own = |member: &Member<f32>| Var::apply(loss, [&member.next(&x)?, &next]);
        let losses = net.members.iter().map(own).collect::<gradus_tensor::Result<Vec<_>>>()?;
        // Each member's own loss, as if it were alone.
        let sum = Var::stack(&losses.iter().collect::<Vec<_>>(), 0)?.sum()?;
        Ok(sum.scale(1.0 / a.window as f32)?.into())
    })?;
    let said = said()?;
    let lstm = |t: usize| f64::from(said.as_slice()[t - 1]) * deviation + mean;
    let linear = autoregression(&series, first, a.lags)?;
    if let Some(file) = &a.plot {
        plot(file, &series, first, &lstm).map_err(|e| Error::other(e.to_string()))?;
    }
    let count = series.len() - first;
    println!(
        "root mean squared error of {count} forecasts, a step ahead each, of values between {:.0} and {:.0}:",
        least(&series[first..]),
        -least(&series[first..].iter().map(|v| -v).collect::<Vec<_>>())
    );
    println!("the value before        {:8.3}", error(&series, first, |t| series[t - 1]));
    println!("linear, of {} values     {:8.3}", a.lags, error(&series, first, |t| linear[t]));
    println!("{} LSTMs of {} units      {:8.3}", a.networks, a.hidden, error(&series, first, lstm));
    Ok(())
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

/// The series, and the forecasts for its last part.
fn plot(
    file: &Path,
    series: &[f64],
    first: usize,
    forecast: &dyn Fn(usize) -> f64,
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let (low, high) = (least(series), -least(&series.iter().map(|v| -v).collect::<Vec<_>>()));
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (900, 360)).into_drawing_area();
        area.fill(&WHITE)?;
        let start = first.saturating_sub(40);
        let mut chart = ChartBuilder::on(&area)
            .margin(12)
            .x_label_area_size(34)
            .y_label_area_size(50)
            .build_cartesian_2d(start as f64..series.len() as f64, low.min(0.0)..1.1 * high)?;
        chart.configure_mesh().x_desc("step").draw()?;
        chart
            .draw_series(LineSeries::new((start..series.len()).map(|t| (t as f64, series[t])), &BLACK))?
            .label("the series")
            .legend(|(x, y)| PathElement::new([(x, y), (x + 20, y)], BLACK));
        chart
            .draw_series(LineSeries::new((first..series.len()).map(|t| (t as f64, forecast(t))), &RED))?
            .label("forecast a step before")
            .legend(|(x, y)| PathElement::new([(x, y), (x + 20, y)], RED));
        chart.configure_series_labels().border_style(BLACK).background_style(WHITE).draw()?;
        area.present()?;
    }
    std::fs::write(file, svg)?;
    println!("forecasts in {}", file.display());
    Ok(())
}

fn main() -> std::process::ExitCode {
    let a = Arguments::parse();
    a.training.main(|| run(&a))
}
