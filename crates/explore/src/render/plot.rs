//! Histograms in Unicode blocks.

use super::{Look, count, number};
use gradus_formula::{Histogram, Report};

/// Eighths of a cell, from below and from the left.
const RISING: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const GROWING: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];
/// The rows of a standing histogram.
const HEIGHT: usize = 5;
/// Up to this many bins lie, one a line with its name; more stand.
const LYING: usize = 8;

/// Every draw of a report and its headroom.
pub fn plots(report: &Report, look: Look) -> String {
    let mut out = String::new();
    for draw in &report.draws {
        let values = count(draw.histogram.total(), "value");
        out += &format!("  {}, {values}{}\n", draw.name, if draw.histogram.log { ", log scale" } else { "" });
        let names = draw.options.map(|options| options.iter().map(|o| (*o).to_owned()).collect());
        let whole = draw.scale == gradus_formula::Scale::Integer;
        let few = whole && draw.histogram.counts.len() <= LYING;
        let names = names.or_else(|| few.then(|| whole_numbers(&draw.histogram)));
        out += &histogram(&draw.histogram, names.as_deref(), None, look);
    }
    if report.cases > 0 {
        out += &headroom(report, look);
    }
    out
}

/// Residual ÷ tolerance of a report; what is above the tolerance stands beyond the mark.
pub fn headroom(report: &Report, look: Look) -> String {
    let cases = count(report.headroom.total(), "case");
    if report.tolerance.value == 0.0 {
        let names = ["0".to_owned(), "above 0".to_owned()];
        return format!("  residual, {cases}\n")
            + &histogram(&report.headroom, Some(&names), Some(0.5), look);
    }
    let title = format!("  residual ÷ tolerance, {cases}, log scale (┴ marks 1: beyond it a case fails)\n");
    title + &histogram(&report.headroom, None, Some(0.0), look)
}

/// One histogram: lying bars where the bins have names, standing ones otherwise. What is beyond `mark`, in the
/// histogram's own coordinate, is red where there is colour.
pub fn histogram(h: &Histogram, names: Option<&[String]>, mark: Option<f64>, look: Look) -> String {
    match names {
        Some(names) => lying(h, names, mark, look),
        None => standing(h, mark, look),
    }
}

fn whole_numbers(h: &Histogram) -> Vec<String> {
    (0..h.counts.len()).map(|i| number(h.low + 0.5 + i as f64)).collect()
}

fn lying(h: &Histogram, names: &[String], mark: Option<f64>, look: Look) -> String {
    let widest = names.iter().map(|n| console::measure_text_width(n)).max().unwrap_or(0);
    let most = h.counts.iter().copied().max().unwrap_or(0).max(1);
    let digits = most.to_string().len();
    // Indent, name, bar, count, and the blanks between them.
    let room = look.width.saturating_sub(4 + widest + 1 + 1 + digits).clamp(1, 50);
    let bin = (h.high - h.low) / h.counts.len() as f64;
    let mut out = String::new();
    for (i, (name, &n)) in names.iter().zip(&h.counts).enumerate() {
        let eighths = eighths(n, most, room);
        let mut bar: String = std::iter::repeat_n('█', eighths / 8).collect();
        if !eighths.is_multiple_of(8) {
            bar.push(GROWING[eighths % 8 - 1]);
        }
        let beyond = mark.is_some_and(|mark| h.low + (i as f64 + 0.5) * bin > mark);
        let bar = if beyond { look.bad(&bar) } else { bar };
        out += &format!("    {} {bar} {n}\n", super::pad(name, widest));
    }
    out
}

fn standing(h: &Histogram, mark: Option<f64>, look: Look) -> String {
    let most = h.counts.iter().copied().max().unwrap_or(0).max(1);
    let digits = most.to_string().len();
    let room = look.width.saturating_sub(4 + digits + 2).max(4);
    // Too narrow a terminal sees several bins as one.
    let merge = h.counts.len().div_ceil(room);
    let counts: Vec<u64> = h.counts.chunks(merge).map(|bins| bins.iter().sum()).collect();
    let most = counts.iter().copied().max().unwrap_or(0).max(most);
    let digits = digits.max(most.to_string().len());
    let columns = (room / counts.len().max(1)).clamp(1, 3);
    let at = |x: f64| ((x - h.low) / (h.high - h.low) * h.counts.len() as f64) / merge as f64;
    let edge = mark.filter(|_| h.high > h.low).map(|mark| at(mark).round() as usize);
    let mut out = String::new();
    for row in (0..HEIGHT).rev() {
        let label = if row == HEIGHT - 1 { most.to_string() } else { String::new() };
        let mut line = String::new();
        for (i, &n) in counts.iter().enumerate() {
            let cell = match eighths(n, most, HEIGHT).saturating_sub(row * 8) {
                0 => ' ',
                full if full >= 8 => RISING[7],
                part => RISING[part - 1],
            };
            let cell: String = std::iter::repeat_n(cell, columns).collect();
            line += &if edge.is_some_and(|edge| i >= edge) { look.bad(&cell) } else { cell };
        }
        out += &format!("    {label:>digits$} │{}\n", if look.color { &line } else { line.trim_end() });
    }
    let width = counts.len() * columns;
    let axis: String =
        (0..width).map(|i| if edge.is_some_and(|e| e > 0 && i == e * columns) { '┴' } else { '─' }).collect();
    out += &format!("    {:digits$} └{axis}\n", "");
    let end = |x: f64| number(if h.log { 10f64.powf(x) } else { x });
    let (low, high) = (end(h.low), end(h.high));
    let gap = width.saturating_sub(low.len() + high.len()).max(1);
    out + &format!("    {:digits$}  {low}{:gap$}{high}\n", "", "")
}

/// The length of a bar in eighths of a cell, out of `cells`; what is not zero is seen.
fn eighths(n: u64, most: u64, cells: usize) -> usize {
    let full = (cells * 8) as f64;
    let length = (n as f64 / most as f64 * full).round() as usize;
    if n > 0 { length.max(1) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradus_formula::{Config, Draw, Property, run};

    fn counts(low: f64, high: f64, log: bool, counts: &[u64]) -> Histogram {
        Histogram { low, high, log, counts: counts.to_vec() }
    }

    #[test]
    fn bars_stand_in_proportion() {
        let text = histogram(
            &counts(-40.0, 40.0, false, &[0, 1, 20, 40]),
            None,
            None,
            Look { width: 12, color: false },
        );
        let expected = "    40 │   █\n       │   █\n       │  ▄█\n       │  ██\n       │ ▁██\n       └────\n        -40 40\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn bars_lie_with_names() {
        let names = ["sum".to_owned(), "mean".to_owned()];
        let text = histogram(
            &counts(-0.5, 1.5, false, &[16, 2]),
            Some(&names),
            None,
            Look { width: 20, color: false },
        );
        assert_eq!(text, "    sum  ████████ 16\n    mean █ 2\n");
    }

    #[test]
    fn the_tolerance_is_marked_and_what_is_beyond_is_red() {
        let h = counts(-8.0, 1.0, true, &[1; 18]);
        let plain = histogram(&h, None, Some(0.0), Look { width: 25, color: false });
        let axis = plain.lines().find(|l| l.contains('└')).unwrap();
        assert_eq!(axis.chars().skip_while(|c| *c != '└').skip(1).position(|c| c == '┴'), Some(16));
        assert!(!plain.contains('\u{1b}'));
        assert!(histogram(&h, None, Some(0.0), Look { width: 25, color: true }).contains("\u{1b}[31m"));
        assert!(plain.lines().last().unwrap().contains("1e-8"));
    }

    #[test]
    fn narrow_terminals_are_kept_to_and_no_count_is_lost() {
        let p = Property::new("t.p", &["t"], "…")
            .draw(Draw::real("x", 0.0..=1.0))
            .draw(Draw::integer("side", 0..=1))
            .draw(Draw::choice("mode", &["sum", "mean"]))
            .draw(Draw::log("t", 0.01..=100.0))
            .within("one", 1.0)
            .check(|case| Ok(case.real("x")));
        let report = run(&p, &Config::default(), &mut |_| {}).unwrap();
        for width in [16, 24, 40, 80, 200] {
            let text = plots(&report, Look { width, color: false });
            for line in text.lines().filter(|l| !l.starts_with("  ") || l.starts_with("    ")) {
                assert!(console::measure_text_width(line) <= width.max(16), "{width}: {line}");
            }
        }
        let text = plots(&report, Look::PLAIN);
        for part in [
            "x, 256 values",
            "side, 256 values",
            "    sum ",
            "    0 █",
            "t, 256 values, log scale",
            "tolerance, 256 cases",
        ] {
            assert!(text.contains(part), "{part} is missing from\n{text}");
        }
    }
}
