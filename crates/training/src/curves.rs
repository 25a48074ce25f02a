//! Learning curves as a picture.

use crate::{EpochRecord, Error, History, Result};
use plotters::prelude::*;
use std::path::Path;

/// A curve's name, colour and points.
type Curve = (&'static str, RGBColor, Vec<(f64, f64)>);

const TRAINING: RGBColor = RGBColor(31, 119, 180);
const VALIDATION: RGBColor = RGBColor(214, 97, 14);

impl History {
    /// The losses, and below them the accuracies if there are any, as SVG: a line of 640 pixels' width for the training, one for the
    /// validation. What is not finite is left out.
    ///
    /// # Errors
    /// If it can't be drawn.
    pub fn to_svg(&self) -> Result<String> {
        let failed = |e: &dyn std::fmt::Display| Error::other(format!("learning curves: {e}"));
        let curves = |train: fn(&EpochRecord) -> Option<f64>,
                      validation: fn(&EpochRecord) -> Option<f64>|
         -> Vec<Curve> {
            let points = |of: fn(&EpochRecord) -> Option<f64>| -> Vec<(f64, f64)> {
                let point = |r: &EpochRecord| Some((r.epoch as f64 + 1.0, of(r).filter(|y| y.is_finite())?));
                self.epochs.iter().filter_map(point).collect()
            };
            let all = [("training", TRAINING, points(train)), ("validation", VALIDATION, points(validation))];
            all.into_iter().filter(|(.., points)| !points.is_empty()).collect()
        };
        let losses = curves(|r| Some(r.loss), |r| r.validation_loss);
        let accuracies = curves(|r| r.accuracy, |r| r.validation_accuracy);
        let panels: Vec<_> = [("loss", losses), ("accuracy", accuracies)]
            .into_iter()
            .filter(|(_, curves)| !curves.is_empty())
            .collect();
        let mut svg = String::new();
        {
            let size = (640, 320 * panels.len().max(1) as u32);
            let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
            root.fill(&WHITE).map_err(|e| failed(&e))?;
            for ((name, curves), area) in panels.iter().zip(root.split_evenly((panels.len().max(1), 1))) {
                panel(name, curves, &area).map_err(|e| failed(&e))?;
            }
            root.present().map_err(|e| failed(&e))?;
        }
        Ok(svg)
    }

    /// Writes [`to_svg`](Self::to_svg) to a file.
    ///
    /// # Errors
    /// If it can't be drawn or written.
    pub fn write_svg(&self, path: impl AsRef<Path>) -> Result<()> {
        crate::history::write(path.as_ref(), &self.to_svg()?)
    }
}

fn panel<'a>(
    name: &str,
    curves: &[Curve],
    area: &DrawingArea<SVGBackend<'a>, plotters::coord::Shift>,
) -> Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>> {
    let points = || curves.iter().flat_map(|(.., points)| points.iter().copied());
    let range = |of: fn((f64, f64)) -> f64| {
        let (low, high) = points()
            .map(of)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        // One point has no extent.
        let room = if high > low { 0.04 * (high - low) } else { 0.5 };
        low - room..high + room
    };
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(56)
        .build_cartesian_2d(range(|(x, _)| x), range(|(_, y)| y))?;
    chart.configure_mesh().x_desc("epoch").y_desc(name).light_line_style(TRANSPARENT).draw()?;
    for (label, colour, points) in curves {
        let line = LineSeries::new(points.iter().copied(), colour.stroke_width(2)).point_size(2);
        let legend = *colour;
        chart
            .draw_series(line)?
            .label(*label)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], legend.stroke_width(2)));
    }
    chart.configure_series_labels().border_style(TRANSPARENT).background_style(WHITE.mix(0.8)).draw()
}
