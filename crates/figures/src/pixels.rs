//! Small images, drawn pixel by pixel.

use super::Figure;
use super::plot::decimals;
use std::fmt::Write;

/// A small image: width, height, and for each pixel how much of which of two colours, −1 to 1.
pub(super) type Picture = (usize, usize, Vec<f64>);

/// A drawing that is put together by hand.
pub(super) struct Canvas(String);

impl Canvas {
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self(format!(
            "<svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" xmlns=\"http://www.w3.org/2000/svg\">"
        ))
    }

    /// A frame with a picture in it, `side` wide and high.
    pub(super) fn picture(&mut self, [x, y]: [f64; 2], side: f64, (w, h, ink): &Picture) {
        /// Shades that are told apart; more would only make the page longer.
        const SHADES: f64 = 7.0;
        let Self(svg) = self;
        // Writing into a string can't fail.
        let _ = write!(
            svg,
            "<g transform=\"translate({x} {y}) scale({} {})\">",
            side / *w as f64,
            side / *h as f64
        );
        let _ = write!(
            svg,
            "<path fill=\"none\" stroke=\"var(--plot-grid)\" stroke-width=\"{:.2}\" d=\"M0 0h{w}v{h}h-{w}z\"/>",
            *w as f64 / side
        );
        for (sign, colour) in [(1.0, "var(--plot-1)"), (-1.0, "var(--plot-2)")] {
            for shade in 1..=SHADES as usize {
                let of = |v: &f64| (v * sign * SHADES).round() == shade as f64;
                let mut path = String::new();
                for (y, line) in ink.chunks(*w).enumerate() {
                    let mut x = 0;
                    while x < *w {
                        let run = line[x..].iter().take_while(|v| of(v)).count();
                        if run > 0 {
                            let _ = write!(path, "M{x} {y}h{run}v1h-{run}z");
                        }
                        x += run.max(1);
                    }
                }
                if !path.is_empty() {
                    let opacity = shade as f64 / SHADES;
                    let _ =
                        write!(svg, "<path fill=\"{colour}\" fill-opacity=\"{opacity:.2}\" d=\"{path}\"/>");
                }
            }
        }
        svg.push_str("</g>");
    }

    /// A text whose middle is at `x`, or which begins there.
    pub(super) fn text(&mut self, [x, y]: [f64; 2], centred: bool, text: &str) {
        let anchor = if centred { "middle" } else { "start" };
        let _ = write!(
            self.0,
            "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" font-family=\"sans-serif\" font-size=\"15\" fill=\"var(--fg)\">{}</text>",
            crate::html(text)
        );
    }

    /// A rectangle from the upper left to the lower right, strongly drawn or faintly.
    pub(super) fn frame(&mut self, [left, top, right, bottom]: [f64; 4], strong: bool) {
        let colour = if strong { "var(--fg)" } else { "var(--plot-grid)" };
        let _ = write!(
            self.0,
            "<rect x=\"{left}\" y=\"{top}\" width=\"{}\" height=\"{}\" rx=\"6\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>",
            right - left,
            bottom - top
        );
    }

    /// A line, in SVG's own words.
    pub(super) fn path(&mut self, path: &str) {
        let _ =
            write!(self.0, "<path fill=\"none\" stroke=\"var(--fg)\" stroke-width=\"1.5\" d=\"{path}\"/>");
    }

    /// Bars that stand next to each other over their numbers, 0, 1, …, within a frame: `shares` of its height.
    pub(super) fn columns(&mut self, [left, top, right, bottom]: [f64; 4], shares: &[f64]) {
        let each = (right - left) / shares.len() as f64;
        for (number, share) in shares.iter().enumerate() {
            let x = left + each * number as f64;
            let bar = |colour: &str, share: f64| {
                format!(
                    "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{colour}\"/>",
                    decimals(x + 0.15 * each, 1),
                    decimals(bottom - share * (bottom - top), 1),
                    decimals(0.7 * each, 1),
                    decimals(share * (bottom - top), 1)
                )
            };
            self.0 += &bar("var(--plot-grid)", 1.0);
            self.0 += &bar("var(--plot-1)", share.clamp(0.0, 1.0));
            self.text([x + 0.5 * each, bottom + 20.0], true, &number.to_string());
        }
    }

    pub(super) fn figure(self, alt: &str, caption: &str) -> Figure {
        let svg = self.0 + "</svg>";
        let (alt, caption) = (alt.into(), caption.into());
        Figure { svg, alt, caption, status: String::new(), frame: [0; 4], x: (0.0, 1.0), y: (0.0, 1.0) }
    }
}

/// Rows of pictures, `cell` wide and high.
pub(super) fn pictures(rows: &[Vec<Picture>], cell: f64, alt: &str, caption: &str) -> Figure {
    let gap = 6.0;
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0) as f64;
    let mut canvas = Canvas::new(columns * (cell + gap) - gap, rows.len() as f64 * (cell + gap) - gap);
    for (r, row) in rows.iter().enumerate() {
        for (c, picture) in row.iter().enumerate() {
            canvas.picture([c as f64 * (cell + gap), r as f64 * (cell + gap)], cell, picture);
        }
    }
    canvas.figure(alt, caption)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_pixels_of_a_row_are_one_piece_and_signs_have_their_colours() {
        let mut canvas = Canvas::new(10.0, 10.0);
        canvas.picture([0.0, 0.0], 10.0, &(3, 2, vec![1.0, 1.0, 0.0, 0.0, -1.0, 0.01]));
        let svg = canvas.figure("alt", "caption").svg;
        assert!(svg.contains("fill=\"var(--plot-1)\" fill-opacity=\"1.00\" d=\"M0 0h2v1h-2z\""), "{svg}");
        assert!(svg.contains("fill=\"var(--plot-2)\" fill-opacity=\"1.00\" d=\"M1 1h1v1h-1z\""), "{svg}");
        assert_eq!(svg.matches("fill-opacity").count(), 2, "next to nothing is nothing");
    }

    #[test]
    fn a_column_is_as_high_as_its_share() {
        let mut canvas = Canvas::new(20.0, 120.0);
        canvas.columns([0.0, 0.0, 20.0, 100.0], &[0.25, 1.0]);
        let svg = canvas.figure("alt", "caption").svg;
        let heights: Vec<_> = svg
            .split("<rect ")
            .skip(1)
            .filter(|rect| rect.contains("--plot-1"))
            .map(|rect| rect.split("height=\"").nth(1).unwrap().split('"').next().unwrap())
            .collect();
        assert_eq!(heights, ["25.0", "100.0"]);
    }
}
