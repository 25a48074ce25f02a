//! Line plots as SVG that follow the book's theme.
//!
//! Plotters draws in marker colours, which then become CSS variables: one file serves light, dark and print.
//! Every series has a dash pattern of its own, so that colour is never the only difference.

use crate::html;
use anyhow::{Result, anyhow};
use gradus_formula::number;
use plotters::prelude::*;
use std::ops::Range;

pub(super) const SIZE: (u32, u32) = (620, 330);
pub(super) const INK: RGBColor = RGBColor(0, 1, 1);
pub(super) const GRID: RGBColor = RGBColor(0, 1, 2);
const SAMPLES: usize = 480;
/// Dash patterns of the series, in order; the first is solid. Derivatives have one for themselves.
const DASHES: [&str; 6] = ["", "9 4", "2 3", "12 3 2 3", "5 2", "1 5"];
const DERIVATIVE_DASH: &str = "6 5";

/// A drawn figure.
pub struct Figure {
    pub(super) svg: String,
    pub(super) alt: String,
    pub(super) caption: String,
    pub(super) status: String,
    /// Where the axes end in the drawing: left, top, right, bottom.
    pub(super) frame: [i32; 4],
    /// The numbers at the ends of the axes.
    pub(super) x: (f64, f64),
    pub(super) y: (f64, f64),
}

impl Figure {
    /// Says what a reader who moves the figure should watch: a few numbers, which stand below it.
    #[must_use]
    pub fn status(mut self, status: impl Into<String>) -> Self {
        self.status = status.into();
        self
    }

    /// The drawing alone, on one line, without what plotters says again and again.
    pub(super) fn drawing(&self) -> String {
        let opening = format!(
            "<svg role=\"img\" aria-label=\"{}\" class=\"plot\" font-family=\"sans-serif\" ",
            html(&self.alt)
        );
        let svg = [" opacity=\"1\"", " font-family=\"sans-serif\""]
            .iter()
            .fold(self.svg.clone(), |svg, said| svg.replace(said, ""));
        svg.replacen("<svg ", &opening, 1).replace('\n', "")
    }

    /// The figure as HTML on one line, with `name` as its anchor.
    pub(super) fn html(&self, name: &str) -> String {
        let (svg, caption) = (self.drawing(), html(&self.caption));
        format!("<figure id=\"fig-{}\">{svg}<figcaption>{caption}</figcaption></figure>", html(name))
    }
}

struct Series {
    name: String,
    points: Vec<(f64, f64)>,
    /// Which colour; a derivative has that of the line before it.
    colour: usize,
    derivative: bool,
    /// Of points that are marked and not joined: what stands beside each.
    labels: Option<Vec<String>>,
}

/// A line plot in the making.
pub struct Plot {
    x_name: String,
    y_name: String,
    x: Range<f64>,
    y: Range<f64>,
    breaks: Vec<f64>,
    series: Vec<Series>,
    log_x: bool,
    log_y: bool,
}

impl Plot {
    /// An empty plot over a range of `x`, showing a range of values.
    pub fn new(x_name: &str, x: Range<f64>, y: Range<f64>) -> Self {
        Self {
            x_name: x_name.into(),
            y_name: String::new(),
            x,
            y,
            breaks: Vec::new(),
            series: Vec::new(),
            log_x: false,
            log_y: false,
        }
    }

    /// Names the vertical axis.
    #[must_use]
    pub fn y_name(mut self, name: &str) -> Self {
        self.y_name = name.into();
        self
    }

    /// Says that the numbers along x are decimal logarithms: the axis is labelled with powers of ten.
    #[must_use]
    pub fn log_x(mut self) -> Self {
        self.log_x = true;
        self
    }

    /// The same for y.
    #[must_use]
    pub fn log_y(mut self) -> Self {
        self.log_y = true;
        self
    }

    /// Says that the functions added from now on may kink or jump at `x`: their lines have a sample on each
    /// side and none across, so that a jump is not drawn as a slope.
    #[must_use]
    pub fn break_at(mut self, x: f64) -> Self {
        self.breaks.push(x);
        self
    }

    /// Adds a function, sampled over the range.
    #[must_use]
    pub fn line(self, name: &str, f: impl Fn(f64) -> f64) -> Self {
        let points = self.sample(f);
        self.curve(name, points)
    }

    /// Adds a derivative: dashed and thinner, in the colour of the line before it.
    #[must_use]
    pub fn derivative(mut self, name: &str, f: impl Fn(f64) -> f64) -> Self {
        let points = self.sample(f);
        let colour = self.series.last().map_or(0, |s| s.colour);
        self.series.push(Series { name: name.into(), points, colour, derivative: true, labels: None });
        self
    }

    /// Adds measured points, joined in their order; a value that is not finite interrupts the line.
    #[must_use]
    pub fn curve(mut self, name: &str, points: Vec<(f64, f64)>) -> Self {
        let colour = self.series.iter().filter(|s| !s.derivative).count() % DASHES.len();
        self.series.push(Series { name: name.into(), points, colour, derivative: false, labels: None });
        self
    }

    /// Adds points that are not joined, each with a text beside it, which may be empty. One outside of the plot is left out.
    #[must_use]
    pub fn points(mut self, name: &str, points: Vec<(f64, f64, String)>) -> Self {
        let inside = |p: &(f64, f64, String)| {
            (self.x.start..=self.x.end).contains(&p.0) && (self.y.start..=self.y.end).contains(&p.1)
        };
        let (points, labels) = points.into_iter().filter(inside).map(|(x, y, text)| ((x, y), text)).unzip();
        self = self.curve(name, points);
        if let Some(series) = self.series.last_mut() {
            series.labels = Some(labels);
        }
        self
    }

    fn sample(&self, f: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
        let width = self.x.end - self.x.start;
        let mut xs: Vec<f64> =
            (0..=SAMPLES).map(|i| self.x.start + width * i as f64 / SAMPLES as f64).collect();
        let gap = width * 1e-9;
        xs.retain(|x| self.breaks.iter().all(|b| (x - b).abs() > gap));
        let mut points: Vec<_> = xs.into_iter().map(|x| (x, f(x))).collect();
        for &b in &self.breaks {
            points.extend([(b - gap, f(b - gap)), (b, f64::NAN), (b + gap, f(b + gap))]);
        }
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        points
    }

    /// Draws it. `alt` says what is to be seen; `caption` stands below.
    ///
    /// # Errors
    /// If plotters can't draw.
    pub fn figure(self, alt: &str, caption: &str) -> Result<Figure> {
        let mut svg = String::new();
        let frame = self.draw(&mut svg).map_err(|e| anyhow!("drawing: {e}"))?;
        self.sharpen(&mut svg, frame);
        for (number, series) in self.series.iter().enumerate() {
            let dash = if series.derivative { DERIVATIVE_DASH } else { DASHES[series.colour] };
            let RGBColor(r, g, b) = marker(number);
            let colour = format!("\"var(--plot-{})\"", series.colour + 1);
            let dashed = format!("stroke={colour} stroke-dasharray=\"{dash}\"");
            svg = svg.replace(&format!("stroke=\"#{r:02X}{g:02X}{b:02X}\""), &dashed);
            svg = svg.replace(&format!("fill=\"#{r:02X}{g:02X}{b:02X}\""), &format!("fill={colour}"));
        }
        svg = svg.replace("\"#000101\"", "\"var(--fg)\"").replace("\"#000102\"", "\"var(--plot-grid)\"");
        Ok(Figure {
            svg,
            alt: alt.into(),
            caption: caption.into(),
            status: String::new(),
            frame,
            x: (self.x.start, self.x.end),
            y: (self.y.start, self.y.end),
        })
    }

    /// Draws, and says where the axes end.
    fn draw(&self, svg: &mut String) -> Result<[i32; 4], Box<dyn std::error::Error + '_>> {
        let columns = self.legend_columns();
        let legend_height = LEGEND_ROW * self.series.len().div_ceil(columns) as i32;
        let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        let (legend, area) = root.split_vertically(legend_height + 6);
        let mut chart = ChartBuilder::on(&area)
            .margin_right(14)
            .margin_bottom(4)
            .margin_top(6)
            .x_label_area_size(50)
            .y_label_area_size(match (self.y_name.is_empty(), self.log_y) {
                (true, _) => 44,
                (false, false) => 60,
                // Powers of ten are long, and on a phone they are large.
                (false, true) => 76,
            })
            .build_cartesian_2d(self.x.clone(), self.y.clone())?;
        chart
            .configure_mesh()
            .axis_style(INK)
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .label_style(("sans-serif", 14).into_font().color(&INK))
            .x_label_formatter(&|x| label(*x, self.log_x))
            .y_label_formatter(&|y| label(*y, self.log_y))
            .x_labels(9)
            .y_labels(6)
            .x_desc(self.x_name.as_str())
            .y_desc(self.y_name.as_str())
            .draw()?;
        for (number, series) in self.series.iter().enumerate() {
            let style = marker(number).stroke_width(if series.derivative { 2 } else { 3 });
            if let Some(labels) = &series.labels {
                let font = || ("sans-serif", 14).into_font().color(&INK);
                for (i, (&at, text)) in series.points.iter().zip(labels).enumerate() {
                    // Neighbours' texts are above and below, and so do not meet.
                    let beside = (9, if i % 2 == 0 { -19 } else { 3 });
                    // Every other series has triangles: colour is never the only difference.
                    if number % 2 == 0 {
                        let mark = Circle::new((0, 0), 5, marker(number).filled());
                        chart.draw_series([EmptyElement::at(at) + mark])?;
                    } else {
                        let mark = TriangleMarker::new((0, 0), 7, marker(number).filled());
                        chart.draw_series([EmptyElement::at(at) + mark])?;
                    }
                    if !text.is_empty() {
                        chart
                            .draw_series([EmptyElement::at(at) + Text::new(text.clone(), beside, font())])?;
                    }
                }
            } else {
                for run in self.runs(&series.points) {
                    // Two points stand for the line: see `sharpen`.
                    chart.draw_series(LineSeries::new(run.into_iter().take(2), style))?;
                }
            }
            let (column, row) = (number % columns, number / columns);
            let at =
                (50 + column as i32 * (SIZE.0 as i32 - 60) / columns as i32, 16 + row as i32 * LEGEND_ROW);
            let middle = (at.0 + 20, at.1);
            match (&series.labels, number % 2) {
                (None, _) => legend.draw(&PathElement::new(vec![at, (at.0 + 40, at.1)], style))?,
                (Some(_), 0) => legend.draw(&Circle::new(middle, 5, marker(number).filled()))?,
                (Some(_), _) => legend.draw(&TriangleMarker::new(middle, 7, marker(number).filled()))?,
            }
            let font = ("sans-serif", 15).into_font().color(&INK);
            legend.draw(&Text::new(series.name.clone(), (at.0 + 48, at.1 - 7), font))?;
        }
        root.present()?;
        let (left, top) = chart.backend_coord(&(self.x.start, self.y.end));
        let (right, bottom) = chart.backend_coord(&(self.x.end, self.y.start));
        Ok([left, top, right, bottom])
    }

    /// Gives the lines the points that they need. Plotters has whole pixels only, which makes steps of a curve, and a point for every sample.
    fn sharpen(&self, svg: &mut String, [left, top, right, bottom]: [i32; 4]) {
        let along = |x: f64, range: &Range<f64>, from: i32, to: i32| {
            f64::from(from) + (x - range.start) / (range.end - range.start) * f64::from(to - from)
        };
        for (number, series) in self.series.iter().enumerate().filter(|(_, series)| series.labels.is_none()) {
            let RGBColor(r, g, b) = marker(number);
            let stroke = format!("stroke=\"#{r:02X}{g:02X}{b:02X}\"");
            let mut from = 0;
            for run in self.runs(&series.points) {
                let pixels: Vec<_> = run
                    .iter()
                    .map(|&(x, y)| (along(x, &self.x, left, right), along(y, &self.y, bottom, top)))
                    .collect();
                let tenth = |x: f64| format!("{x:.1}").trim_end_matches(".0").to_owned();
                let points: Vec<_> =
                    needed(&pixels).iter().map(|&(x, y)| format!("{},{}", tenth(x), tenth(y))).collect();
                // The series' lines come in this order, and behind them, if it is one, that of the legend.
                let Some(line) = svg[from..].find(&stroke).map(|at| from + at) else { return };
                let Some(begin) = svg[line..].find("points=\"").map(|at| line + at + 8) else { return };
                let Some(end) = svg[begin..].find('"').map(|at| begin + at) else { return };
                svg.replace_range(begin..end, &points.join(" "));
                from = begin;
            }
        }
    }

    /// How many names stand side by side: none may reach the next, on a phone either, where letters are larger. A number in a name
    /// counts alike however long it is, so that a legend keeps its form when something is moved.
    fn legend_columns(&self) -> usize {
        const LETTER: usize = 13;
        const NUMBER: usize = 4;
        let length = |name: &str| {
            let numeric = |c: &char| c.is_ascii_digit() || *c == '.';
            let numbers = name.split(|c: char| !numeric(&c)).filter(|run| !run.is_empty()).count();
            name.chars().filter(|c| !numeric(c)).count() + NUMBER * numbers
        };
        let longest = self.series.iter().map(|series| length(&series.name)).max().unwrap_or(0);
        (SIZE.0 as usize / (48 + LETTER * longest)).clamp(1, LEGEND_COLUMNS)
    }

    /// The parts of a line that lie inside the plot; each end is cut where the line leaves it.
    fn runs(&self, points: &[(f64, f64)]) -> Vec<Vec<(f64, f64)>> {
        let mut runs = vec![Vec::new()];
        let mut push = |run: &mut Vec<(f64, f64)>, end: bool| {
            if end && !run.is_empty() {
                runs.push(std::mem::take(run));
            }
        };
        let inside = |y: f64| y >= self.y.start && y <= self.y.end;
        let cut = |(x0, y0): (f64, f64), (x1, y1): (f64, f64)| {
            let edge = if y1 > self.y.end || y0 > self.y.end { self.y.end } else { self.y.start };
            (x0 + (x1 - x0) * (edge - y0) / (y1 - y0), edge)
        };
        let mut run = Vec::new();
        let mut last: Option<(f64, f64)> = None;
        for &point in points {
            if !(point.0.is_finite() && point.1.is_finite()) {
                push(&mut run, true);
                last = None;
                continue;
            }
            match (last.map(|l| inside(l.1)), inside(point.1)) {
                (Some(true) | None, true) => run.push(point),
                (Some(false), true) => run.extend(last.map(|l| cut(l, point)).into_iter().chain([point])),
                (Some(true), false) => {
                    run.extend(last.map(|l| cut(l, point)));
                    push(&mut run, true);
                }
                (Some(false) | None, false) => {}
            }
            last = Some(point);
        }
        push(&mut run, true);
        runs.retain(|r| r.len() > 1);
        runs
    }
}

/// A line with fewer points that looks the same: none that is left out is farther from it than a tenth of a pixel.
fn needed(line: &[(f64, f64)]) -> Vec<(f64, f64)> {
    const CLOSE: f64 = 0.1;
    let Some(end) = line.len().checked_sub(1) else { return Vec::new() };
    let mut keep = vec![false; line.len()];
    keep[0] = true;
    keep[end] = true;
    let mut parts = vec![(0, end)];
    while let Some((first, last)) = parts.pop() {
        let (from, to) = (line[first], line[last]);
        let farthest = (first + 1..last)
            .map(|i| (i, distance(line[i], from, to)))
            .max_by(|(_, a), (_, b)| a.total_cmp(b))
            .filter(|(_, by)| *by > CLOSE);
        if let Some((at, _)) = farthest {
            keep[at] = true;
            parts.extend([(first, at), (at, last)]);
        }
    }
    line.iter().zip(keep).filter_map(|(&point, keep)| keep.then_some(point)).collect()
}

/// How far a point is from a straight piece.
fn distance(point: (f64, f64), from: (f64, f64), to: (f64, f64)) -> f64 {
    let minus = |a: (f64, f64), b: (f64, f64)| (a.0 - b.0, a.1 - b.1);
    let dot = |a: (f64, f64), b: (f64, f64)| a.0 * b.0 + a.1 * b.1;
    let (piece, away) = (minus(to, from), minus(point, from));
    let length = dot(piece, piece);
    let along = if length > 0.0 { (dot(away, piece) / length).clamp(0.0, 1.0) } else { 0.0 };
    let rest = minus(away, (along * piece.0, along * piece.1));
    rest.0.hypot(rest.1)
}

const LEGEND_COLUMNS: usize = 3;
const LEGEND_ROW: i32 = 26;

/// A number in a sentence, with a proper minus and as many decimals as asked for.
pub(super) fn decimals(x: f64, places: usize) -> String {
    let text = format!("{x:.places$}");
    // What is zero but for rounding has no sign.
    let zero = !text.contains(|c: char| c.is_ascii_digit() && c != '0') && x.is_finite();
    if zero { text.trim_start_matches('-').into() } else { text.replace('-', "−") }
}

/// A number in a sentence: three digits, and a power of ten where plain digits would not do.
pub(super) fn short(x: f64) -> String {
    let plain = number(format!("{x:.2e}").parse().unwrap_or(x));
    match plain.split_once('e') {
        Some(("1.0", exponent)) => format!("10{}", raised(exponent)),
        Some((digits, exponent)) => format!("{}·10{}", digits.replace('-', "−"), raised(exponent)),
        None => plain.replace('-', "−"),
    }
}

/// A whole number in small raised digits.
fn raised(exponent: &str) -> String {
    let raise = |c| match c {
        '-' => '⁻',
        digit => "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().nth((digit as usize).wrapping_sub('0' as usize)).unwrap_or(digit),
    };
    exponent.chars().map(raise).collect()
}

/// A number on an axis: no more digits than it needs, and a proper minus; or the power of ten that it is the
/// logarithm of.
fn label(x: f64, log: bool) -> String {
    if log {
        if (x - x.round()).abs() > 1e-6 {
            return String::new(); // only whole powers are worth a label
        }
        return format!("10{}", raised(&number(x.round())));
    }
    // What is zero but for rounding is zero.
    let x = if x.abs() < 1e-9 { 0.0 } else { x };
    number((x * 1e6).round() / 1e6).replace('-', "−")
}

/// The colour that stands for a series until the drawing is done.
pub(super) fn marker(series: usize) -> RGBColor {
    RGBColor(1, (series / 256) as u8, (series % 256) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_differ_in_dash_and_no_marker_is_left() {
        let figure = Plot::new("x", -1.0..1.0, -1.0..1.0)
            .line("one", |x| x)
            .derivative("slope", |_| 1.0)
            .line("two", |x| x * x)
            .figure("two lines & a slope", "caption")
            .unwrap();
        let html = figure.html("demo");
        for expected in [
            "stroke=\"var(--plot-1)\" stroke-dasharray=\"\"",
            "stroke=\"var(--plot-1)\" stroke-dasharray=\"6 5\"",
            "stroke=\"var(--plot-2)\" stroke-dasharray=\"9 4\"",
            "two lines &amp; a slope",
            "id=\"fig-demo\"",
        ] {
            assert!(html.contains(expected), "{expected}");
        }
        assert!(!html.contains("#0100") && !html.contains("#0001"));
    }

    #[test]
    fn a_line_has_the_points_that_it_needs_and_no_steps() {
        let parabola: Vec<_> = (0..=400).map(|x| (f64::from(x), f64::from(x * x) / 400.0)).collect();
        let few = needed(&parabola);
        assert!((10..60).contains(&few.len()), "{}", few.len());
        for &point in &parabola {
            let off =
                few.windows(2).map(|piece| distance(point, piece[0], piece[1])).fold(f64::MAX, f64::min);
            assert!(off <= 0.1, "{point:?} is {off} away");
        }
        let straight: Vec<_> = (0..9).map(|x| (f64::from(x), 2.0 * f64::from(x))).collect();
        assert_eq!(needed(&straight), [straight[0], straight[8]]);
        // There and back again: the far end stays.
        assert_eq!(needed(&[(0.0, 0.0), (5.0, 0.0), (0.0, 0.0)]).len(), 3);
        assert_eq!(needed(&[]), []);
        let figure = Plot::new("x", 0.0..1.0, 0.0..1.0)
            .line("steep", |x| x)
            .line("flat", |x| 0.5 + x / 1000.0)
            .figure("two lines", "caption")
            .unwrap();
        let [left, top, right, bottom] = figure.frame;
        assert!(figure.svg.contains(&format!("points=\"{left},{bottom} {right},{top}\"")), "{}", figure.svg);
        let middle = f64::from(top + bottom) / 2.0;
        let end = format!(" {right},{:.1}\"", middle - f64::from(bottom - top) / 1000.0);
        assert!(figure.svg.contains(&end), "{end} in {}", figure.svg);
    }

    #[test]
    fn numbers_in_sentences_have_a_proper_minus() {
        let shown = [-0.8, -0.001, 0.0, 1.25, -12.0].map(|x| decimals(x, 2));
        assert_eq!(shown, ["−0.80", "0.00", "0.00", "1.25", "−12.00"]);
        let shown = [-0.5, 7.38906, 1e-16, -2.5e-13, 3e12, f64::NAN].map(short);
        assert_eq!(shown, ["−0.5", "7.39", "10⁻¹⁶", "−2.5·10⁻¹³", "3.0·10¹²", "NaN"]);
    }

    #[test]
    fn a_jump_is_not_drawn_as_a_slope_and_what_leaves_the_plot_is_cut() {
        let plot = Plot::new("x", -1.0..1.0, 0.0..1.0).break_at(0.0);
        let step = plot.sample(|x| if x > 0.0 { 1.0 } else { 0.0 });
        let runs = plot.runs(&step);
        assert_eq!(runs.len(), 2);
        assert!(runs[0].iter().all(|p| p.1 == 0.0) && runs[1].iter().all(|p| p.1 == 1.0));
        let steep = plot.runs(&[(-1.0, 0.5), (0.0, 1.5), (1.0, 0.5)]);
        assert_eq!(steep, [vec![(-1.0, 0.5), (-0.5, 1.0)], vec![(0.5, 1.0), (1.0, 0.5)]]);
    }
}
