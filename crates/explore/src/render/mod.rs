//! Lists, reports and histograms as text: pure functions from data to strings.

mod list;
mod plot;
mod report;
mod show;

pub use list::list;
pub use plot::{headroom, histogram, plots};
pub use report::{replay, report, summary};
pub use show::show;

use console::Style;
use gradus_formula::{Config, Property, Range};

/// How text is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The columns there are.
    pub width: usize,
    /// Whether colours are wanted.
    pub color: bool,
}

impl Look {
    /// Eighty columns, no colour.
    pub const PLAIN: Self = Self { width: 80, color: false };

    fn paint(self, style: Style, text: &str) -> String {
        style.force_styling(self.color).apply_to(text).to_string()
    }

    fn bold(self, text: &str) -> String {
        self.paint(Style::new().bold(), text)
    }

    fn dim(self, text: &str) -> String {
        self.paint(Style::new().dim(), text)
    }

    fn good(self, text: &str) -> String {
        self.paint(Style::new().green(), text)
    }

    fn bad(self, text: &str) -> String {
        self.paint(Style::new().red().bold(), text)
    }
}

/// A number in at most a dozen characters: `0.001`, `4294967295`, `39.98`, `2.2204e-16`.
pub fn number(x: f64) -> String {
    let size = x.abs();
    if x == 0.0 || !x.is_finite() {
        // −0 is a zero too, and its sign is worth seeing.
        return format!("{x}");
    }
    if x == x.trunc() && size < 1e10 {
        // A seed or a count, to the last digit.
        format!("{x}")
    } else if (1e-4..1e7).contains(&size) {
        let digits = (5 - size.log10().floor() as i32).max(0) as usize;
        let text = format!("{x:.digits$}");
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    } else {
        let text = format!("{x:.4e}");
        match text.split_once('e') {
            Some((digits, power)) if digits.contains('.') => {
                format!("{}e{power}", digits.trim_end_matches('0').trim_end_matches('.'))
            }
            _ => text,
        }
    }
}

/// A range as it is written on the command line, or in words where it has no ends.
pub fn range(range: Range) -> String {
    let Range { low, high } = range;
    match (low <= f64::MIN, high >= f64::MAX) {
        (true, true) => "any finite number".into(),
        (false, true) if low > 0.0 && low <= f64::MIN_POSITIVE => "any positive number".into(),
        (false, true) => format!("{} or more", number(low)),
        (true, false) => format!("{} or less", number(high)),
        (false, false) => format!("{}..{}", number(low), number(high)),
    }
}

/// `1 case`, `2 cases`.
fn count(n: u64, thing: &str) -> String {
    match (n, thing.strip_suffix('y')) {
        (1, _) => format!("1 {thing}"),
        (_, Some(stem)) => format!("{n} {stem}ies"),
        _ => format!("{n} {thing}s"),
    }
}

/// A duration one can read: `0.3 ms`, `1.25 s`.
fn duration(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.1} ms", seconds * 1e3) } else { format!("{seconds:.2} s") }
}

/// The command that repeats a case: with the seed, and with the ranges that differ from the property's own.
pub fn replay_command(property: &Property, config: &Config, case: u64) -> String {
    let mut command = format!("cargo explore run --replay {}:{case} --seed {}", property.id, config.seed);
    for draw in &property.draws {
        match config.ranges.of(draw) {
            // `{}` of a float reads back as the same float; `number` may round.
            Ok(r) if r != draw.range => command += &format!(" --range {}={}..{}", draw.name, r.low, r.high),
            _ => {}
        }
    }
    command
}

/// Text cut to the columns there are, with a mark where something is missing.
fn cut(text: &str, columns: usize) -> String {
    console::truncate_str(text, columns.max(1), "…").into_owned()
}

/// Text filled with blanks to a width in columns, not bytes.
fn pad(text: &str, columns: usize) -> String {
    console::pad_str(text, columns, console::Alignment::Left, None).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradus_formula::Draw;

    #[test]
    fn numbers_are_short_and_right() {
        let cases = [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-39.98, "-39.98"),
            (0.001, "0.001"),
            (1.0 / 3.0, "0.333333"),
            (123_456.0, "123456"),
            (1e6, "1000000"),
            (4_294_967_295.0, "4294967295"),
            (f64::EPSILON, "2.2204e-16"),
            (1e-300, "1e-300"),
            (1e300, "1e300"),
            (f64::INFINITY, "inf"),
            (f64::NAN, "NaN"),
            (999_999.9, "1000000"),
        ];
        for (x, text) in cases {
            assert_eq!(number(x), text);
        }
    }

    #[test]
    fn ranges_without_ends_are_words() {
        let text = |low, high| range(Range { low, high });
        assert_eq!(text(f64::MIN, f64::MAX), "any finite number");
        assert_eq!(text(f64::MIN_POSITIVE, f64::MAX), "any positive number");
        assert_eq!(text(0.0, f64::MAX), "0 or more");
        assert_eq!(text(-3.0, 0.5), "-3..0.5");
    }

    #[test]
    fn a_replay_command_bears_what_was_changed() {
        let p = Property::new("t.p", &["t"], "…")
            .draw(Draw::real("x", 0.0..=1.0))
            .draw(Draw::real("y", 0.0..=1.0));
        let mut config = Config { seed: 5, ..Config::default() };
        config.ranges.set("x", -0.125, 2.0);
        assert_eq!(
            replay_command(&p, &config, 9),
            "cargo explore run --replay t.p:9 --seed 5 --range x=-0.125..2"
        );
    }

    #[test]
    fn plurals() {
        assert_eq!(count(1, "property"), "1 property");
        assert_eq!(count(0, "property"), "0 properties");
        assert_eq!(count(2, "case"), "2 cases");
    }
}
