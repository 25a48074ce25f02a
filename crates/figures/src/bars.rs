//! Bars that lie, each below its own text: so a phone can show them.

use super::Figure;
use super::plot::{GRID, INK, marker};
use anyhow::{Result, anyhow};
use plotters::prelude::*;

/// A bar.
pub(super) struct Bar {
    /// What stands over it.
    pub(super) text: String,
    /// How long it is.
    pub(super) value: f64,
    /// How long it could be at most: drawn faintly behind it.
    pub(super) most: f64,
}

const WIDTH: u32 = 620;
const ROW: i32 = 48;

/// Draws bars, the first on top.
///
/// # Errors
/// If plotters can't draw.
pub(super) fn bars(bars: &[Bar], alt: &str, caption: &str) -> Result<Figure> {
    let mut svg = String::new();
    draw(bars, &mut svg).map_err(|e| anyhow!("drawing: {e}"))?;
    let RGBColor(r, g, b) = marker(0);
    let svg = svg
        .replace(&format!("\"#{r:02X}{g:02X}{b:02X}\""), "\"var(--plot-1)\"")
        .replace("\"#000101\"", "\"var(--fg)\"")
        .replace("\"#000102\"", "\"var(--plot-grid)\"");
    let (alt, caption) = (alt.into(), caption.into());
    Ok(Figure { svg, alt, caption, status: String::new(), frame: [0; 4], x: (0.0, 1.0), y: (0.0, 1.0) })
}

fn draw<'a>(bars: &[Bar], svg: &'a mut String) -> Result<(), Box<dyn std::error::Error + 'a>> {
    let longest = bars.iter().map(|b| b.most.max(b.value)).fold(f64::MIN_POSITIVE, f64::max);
    let root = SVGBackend::with_string(svg, (WIDTH, ROW as u32 * bars.len() as u32)).into_drawing_area();
    for (bar, top) in bars.iter().zip((0..).step_by(ROW as usize)) {
        let end = |value: f64| 8 + (value / longest * f64::from(WIDTH - 16)).round() as i32;
        let lies = |value: f64, colour: RGBColor| {
            Rectangle::new([(8, top + 27), (end(value).max(10), top + 40)], colour.filled())
        };
        root.draw(&lies(bar.most, GRID))?;
        root.draw(&lies(bar.value, marker(0)))?;
        let font = ("sans-serif", 15).into_font().color(&INK);
        root.draw(&Text::new(bar.text.clone(), (8, top + 3), font))?;
    }
    root.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_share_and_no_marker_is_left() {
        let bar = |value, most| Bar { text: "a & b".into(), value, most };
        let figure = bars(&[bar(1.0, 2.0), bar(4.0, 4.0)], "alt", "caption").unwrap();
        let width = |colour: &str| -> Vec<u32> {
            let rectangles = figure.svg.split("<rect ").skip(1).filter(|r| r.contains(colour));
            rectangles
                .map(|r| r.split("width=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap())
                .collect()
        };
        assert_eq!(width("var(--plot-1)"), [151, 604]);
        assert_eq!(width("var(--plot-grid)"), [302, 604]);
        assert!(!figure.svg.contains("\"#0"));
    }
}
