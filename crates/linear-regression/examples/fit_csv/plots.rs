//! The four plots of the residuals, as SVG. The samples that stand out bear their line in the file.

use crate::data::Sample;
use crate::diagnostics::Diagnostics;
use crate::report::{largest, number};
use anyhow::{Result, anyhow};
use gradus_linear_regression::{Fit, Statistics};
use plotters::prelude::*;
use statrs::distribution::{ContinuousCDF, Normal};
use std::ops::Range;

const SIZE: (u32, u32) = (720, 520);
const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
const FAINT: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);
const POINT: RGBColor = RGBColor(0x1f, 0x5f, 0xa8);
const TREND: RGBColor = RGBColor(0xc0, 0x39, 0x2b);
const REFERENCE: RGBColor = RGBColor(0x77, 0x77, 0x77);
/// How many samples bear their line.
const NAMED: usize = 3;
/// More points than these are thinned, so that a viewer can open the file.
const MOST: usize = 5000;
/// How much of the data a point of the trend looks at.
const SPAN: f64 = 2.0 / 3.0;
/// How many points the trend and the contours have.
const STEPS: usize = 80;

/// A plot, to be drawn.
pub(crate) struct Plot {
    pub(crate) name: &'static str,
    title: String,
    x_name: String,
    y_name: String,
    points: Vec<(f64, f64)>,
    lines: Vec<u64>,
    /// The points that bear their line.
    named: Vec<usize>,
    curves: Vec<Curve>,
    /// What has to be within the plot, beside the points.
    with: Vec<(f64, f64)>,
}

struct Curve {
    /// What it is, for the legend; the second half of a pair has none.
    name: Option<String>,
    points: Vec<(f64, f64)>,
    trend: bool,
}

/// The four plots of a fit.
pub(crate) fn of_fit(
    sample: &Sample,
    fit: &Fit,
    statistics: &Statistics,
    d: &Diagnostics,
) -> Result<Vec<Plot>> {
    let fitted = fitted(sample, fit)?;
    let leverage = statistics.leverage();
    let size: Vec<f64> = d.studentised.iter().map(|r| r.abs()).collect();
    let outliers = largest(&size, NAMED);
    let roots: Vec<f64> = d.standardised.iter().map(|r| r.abs().sqrt()).collect();
    let parameters = fit.rank() as f64;
    let mut influence =
        plot(sample, "leverage", "Studentised residuals against leverage", leverage, &d.standardised);
    influence.x_name = "leverage (the hat matrix' diagonal)".into();
    influence.y_name = "studentised residual (internally)".into();
    influence.named = largest(&statistics.cooks_distances(), NAMED);
    influence.with = vec![(0.0, 0.0)];
    influence.curves.push(level(0.0, 0.0..leverage.iter().fold(0.0, |m, h| f64::max(m, *h))));
    let (bounds, within) = influence.ranges();
    let cut = 4.0 / fitted.len() as f64;
    for distance in [1.0, 0.5, cut] {
        let name = format!("Cook's distance {}", number((distance * 1e4).round() / 1e4));
        influence.curves.extend(contours(distance, parameters, &bounds, &within, name));
    }
    let mut scale = plot(sample, "scale_location", "Scale against location", &fitted, &roots);
    scale.x_name = fitted_name(sample);
    scale.y_name = "square root of |standardised residual|".into();
    scale.named.clone_from(&outliers);
    scale.curves.push(trend(&fitted, &roots));
    Ok(vec![
        residual_plot(sample, &fitted, &d.residuals, outliers.clone()),
        quantiles(sample, &d.standardised, "standardised residual", outliers)?,
        scale,
        influence,
    ])
}

/// The two plots that a penalised fit has: they need no leverage.
pub(crate) fn of_ridge(sample: &Sample, fit: &Fit, residuals: &[f64]) -> Result<Vec<Plot>> {
    let size: Vec<f64> = residuals.iter().map(|e| e.abs()).collect();
    let outliers = largest(&size, NAMED);
    let scale = (residuals.iter().map(|e| e * e).sum::<f64>() / residuals.len() as f64).sqrt();
    let scaled: Vec<f64> = residuals.iter().map(|e| e / scale).collect();
    Ok(vec![
        residual_plot(sample, &fitted(sample, fit)?, residuals, outliers.clone()),
        quantiles(sample, &scaled, "residual over its root mean square", outliers)?,
    ])
}

fn fitted(sample: &Sample, fit: &Fit) -> Result<Vec<f64>> {
    Ok(fit.predict(&sample.x)?.select(1, 0)?.into_vec())
}

fn fitted_name(sample: &Sample) -> String {
    format!("fitted {}", sample.target)
}

fn residual_plot(sample: &Sample, fitted: &[f64], residuals: &[f64], named: Vec<usize>) -> Plot {
    let mut plot = plot(sample, "residuals", "Residuals against fitted values", fitted, residuals);
    plot.x_name = fitted_name(sample);
    let by = if sample.weights.is_some() { ", times root of weight" } else { "" };
    plot.y_name = format!("residual of {}{by}", sample.target);
    plot.named = named;
    plot.curves = vec![level(0.0, extent(fitted)), trend(fitted, residuals)];
    plot
}

/// The ordered values against those that as many normal ones would have on average, by Blom's (i − 3/8)/(n + 1/4).
fn quantiles(sample: &Sample, values: &[f64], y_name: &str, named: Vec<usize>) -> Result<Plot> {
    let normal = Normal::new(0.0, 1.0)?;
    let n = values.len() as f64;
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut expected = vec![0.0; values.len()];
    for (rank, &i) in order.iter().enumerate() {
        expected[i] = normal.inverse_cdf((rank as f64 + 0.625) / (n + 0.25));
    }
    let mut plot = plot(sample, "qq", "Normal quantiles", &expected, values);
    plot.x_name = "quantile of the standard normal distribution".into();
    plot.y_name = y_name.into();
    plot.named = named;
    let Range { start, end } = extent(&expected);
    let points = vec![(start, start), (end, end)];
    plot.curves = vec![Curve { name: Some("normal".into()), points, trend: false }];
    Ok(plot)
}

fn plot(sample: &Sample, name: &'static str, title: &str, x: &[f64], y: &[f64]) -> Plot {
    Plot {
        name,
        title: format!("{title}: {}", sample.target),
        x_name: String::new(),
        y_name: String::new(),
        points: x.iter().copied().zip(y.iter().copied()).collect(),
        lines: sample.lines.clone(),
        named: Vec::new(),
        curves: Vec::new(),
        with: Vec::new(),
    }
}

fn level(y: f64, x: Range<f64>) -> Curve {
    Curve { name: None, points: vec![(x.start, y), (x.end, y)], trend: false }
}

/// From the least to the greatest of the values that are numbers.
fn extent(values: &[f64]) -> Range<f64> {
    let finite = || values.iter().copied().filter(|v| v.is_finite());
    finite().fold(f64::INFINITY, f64::min)..finite().fold(f64::NEG_INFINITY, f64::max)
}

/// A smooth line through the points: at each x the weighted line through its nearest two thirds, by Cleveland's weights
/// (1 − d³)³ (LOWESS, without the robust steps).
fn trend(x: &[f64], y: &[f64]) -> Curve {
    let Range { start, end } = extent(x);
    let reach = ((SPAN * x.len() as f64).ceil() as usize).clamp(1, x.len().max(1)) - 1;
    let at = |x0: f64| {
        let mut distances: Vec<f64> = x.iter().map(|v| (v - x0).abs()).collect();
        // A little further than the last of them, whose weight would be 0.
        let width = distances.select_nth_unstable_by(reach, f64::total_cmp).1.max(f64::MIN_POSITIVE) * 1.001;
        let weights: Vec<f64> =
            x.iter().map(|v| (1.0 - ((v - x0).abs() / width).min(1.0).powi(3)).powi(3)).collect();
        let sum = |f: &dyn Fn(usize) -> f64| (0..x.len()).map(|i| weights[i] * f(i)).sum::<f64>();
        let total = sum(&|_| 1.0);
        let (mx, my) = (sum(&|i| x[i]) / total, sum(&|i| y[i]) / total);
        let (sxx, sxy) = (sum(&|i| (x[i] - mx).powi(2)), sum(&|i| (x[i] - mx) * (y[i] - my)));
        my + if sxx > 0.0 { sxy / sxx * (x0 - mx) } else { 0.0 }
    };
    let points = match x.is_empty() {
        true => Vec::new(),
        false => (0..=STEPS)
            .map(|i| start + (end - start) * i as f64 / STEPS as f64)
            .map(|x0| (x0, at(x0)))
            .collect(),
    };
    Curve { name: Some("local trend".into()), points, trend: true }
}

/// Where Cook's distance r²/p · h/(1 − h) has this value, above and below, as far as it is within the plot.
fn contours(distance: f64, p: f64, h: &Range<f64>, r: &Range<f64>, name: String) -> Vec<Curve> {
    let half = |sign: f64| -> Vec<(f64, f64)> {
        (1..=8 * STEPS)
            .map(|i| h.start.max(0.0) + (h.end - h.start.max(0.0)) * i as f64 / (8 * STEPS) as f64)
            .filter(|h| *h < 1.0)
            .map(|h| (h, sign * (distance * p * (1.0 - h) / h).sqrt()))
            .filter(|(_, y)| r.contains(y))
            .collect()
    };
    let curves = [half(1.0), half(-1.0)].into_iter().filter(|points| points.len() > 1);
    let mut name = Some(name);
    curves.map(|points| Curve { name: name.take(), points, trend: false }).collect()
}

/// Dash and gap of the reference lines, in the order they come; a trend is solid.
const DASHES: [(i32, i32); 4] = [(6, 4), (2, 3), (10, 3), (4, 6)];

impl Plot {
    /// What is shown: the points and a margin, whatever they are.
    fn ranges(&self) -> (Range<f64>, Range<f64>) {
        let all = || self.points.iter().chain(&self.with).filter(|p| p.0.is_finite() && p.1.is_finite());
        let widened = |r: Range<f64>, low: f64| match r.end - r.start {
            width if width > 0.0 && width.is_finite() => r.start - low * width..r.end + 0.06 * width,
            // No point, or all of them at one place.
            _ if r.start.is_finite() => {
                let by = r.start.abs().max(f64::MIN_POSITIVE) * 0.5 + 1e-300;
                r.start - by..r.start + by
            }
            _ => -1.0..1.0,
        };
        let (x, y): (Vec<f64>, Vec<f64>) = all().copied().unzip();
        let left = if self.with.is_empty() { 0.04 } else { 0.0 };
        (widened(extent(&x), left), widened(extent(&y), 0.06))
    }

    /// The drawing.
    pub(crate) fn svg(&self) -> Result<String> {
        let mut svg = String::new();
        self.draw(&mut svg).map_err(|e| anyhow!("drawing {}: {e}", self.name))?;
        let described = format!("<svg role=\"img\" aria-label=\"{}\" ", escaped(&self.title));
        Ok(svg.replacen("<svg ", &described, 1))
    }

    fn draw(&self, svg: &mut String) -> Result<(), Box<dyn std::error::Error + '_>> {
        let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        root.draw(&Text::new(self.title.clone(), (20, 14), ("sans-serif", 19).into_font().color(&INK)))?;
        let stride = self.points.len().div_ceil(MOST).max(1);
        let thinned = if stride > 1 { format!("; every {stride}th point") } else { String::new() };
        let small = ("sans-serif", 13).into_font().color(&INK);
        root.draw(&Text::new(format!("numbers: line in the file{thinned}"), (20, 42), small.clone()))?;
        let area = root.margin(60, 8, 8, 16);
        let (x, y) = self.ranges();
        let digits = (decimals(&x), decimals(&y));
        let mut chart = ChartBuilder::on(&area)
            .x_label_area_size(50)
            .y_label_area_size(74)
            .build_cartesian_2d(x.clone(), y.clone())?;
        chart
            .configure_mesh()
            .axis_style(INK)
            .bold_line_style(FAINT)
            .light_line_style(TRANSPARENT)
            .label_style(("sans-serif", 14).into_font().color(&INK))
            .axis_desc_style(("sans-serif", 15).into_font().color(&INK))
            .x_label_formatter(&|v| label(*v, digits.0))
            .y_label_formatter(&|v| label(*v, digits.1))
            .x_labels(8)
            .y_labels(8)
            .x_desc(self.x_name.as_str())
            .y_desc(self.y_name.as_str())
            .draw()?;
        let inside = |p: &(f64, f64)| x.contains(&p.0) && y.contains(&p.1);
        let shown = |i: usize| i.is_multiple_of(stride) || self.named.contains(&i);
        let points = self.points.iter().enumerate().filter(|(i, p)| shown(*i) && inside(p));
        chart.draw_series(points.map(|(_, &p)| Circle::new(p, 3, POINT.mix(0.55).filled())))?;

        let (mut dash, mut at) = (0, SIZE.0 as i32 - 24);
        for curve in &self.curves {
            let points: Vec<(f64, f64)> = curve.points.iter().copied().filter(inside).collect();
            let colour = if curve.trend { TREND } else { REFERENCE };
            let style = colour.stroke_width(2);
            dash += usize::from(curve.name.is_some() && !curve.trend);
            let (on, off) = DASHES[dash % DASHES.len()];
            if curve.trend {
                chart.draw_series(LineSeries::new(points, style))?;
            } else {
                chart.draw_series(DashedLineSeries::new(points, on, off, style))?;
            }
            if let Some(name) = &curve.name {
                at -= 8 * name.chars().count() as i32 + 52;
                let ends = vec![(at, 49), (at + 36, 49)];
                if curve.trend {
                    root.draw(&PathElement::new(ends, style))?;
                } else {
                    let steps = (0..36).step_by((on + off) as usize);
                    for from in steps {
                        let to = (from + on).min(36);
                        root.draw(&PathElement::new(vec![(at + from, 49), (at + to, 49)], style))?;
                    }
                }
                root.draw(&Text::new(name.clone(), (at + 42, 42), small.clone()))?;
            }
        }
        for &i in &self.named {
            let point = self.points[i];
            if !inside(&point) {
                continue;
            }
            let text = self.lines[i].to_string();
            // To the left of a point that stands near the right edge.
            let right = point.0 > x.start + 0.9 * (x.end - x.start);
            let by = if right { -8 * text.len() as i32 - 6 } else { 6 };
            chart.draw_series([EmptyElement::at(point) + Text::new(text, (by, -7), small.clone())])?;
        }
        root.present()?;
        Ok(())
    }
}

/// How many decimals tell the labels of an axis apart.
fn decimals(range: &Range<f64>) -> i32 {
    (1.0 - ((range.end - range.start) / 8.0).log10().floor()) as i32
}

/// A number on an axis with a proper minus.
fn label(x: f64, decimals: i32) -> String {
    let unit = 10f64.powi(decimals);
    let rounded = if unit.is_finite() && unit > 0.0 { (x * unit).round() / unit } else { x };
    // What is zero but for rounding is zero.
    number(if rounded == 0.0 { 0.0 } else { rounded }).replace('-', "−")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
