//! Figures of the chapters on convolution.

use super::plot::{GRID, INK, marker};
use super::{Control, Figure, Inputs, Scale, Slider};
use anyhow::{Result, anyhow};
use gradus_cnn::{Geometry, Window};
use plotters::prelude::*;

const fn whole(name: &'static str, label: &'static str, range: (f64, f64), default: f64) -> Control {
    Control::Slider(Slider { name, label, range, step: 1.0, scale: Scale::Linear, default, unit: "" })
}

/// A window, and the elements below it.
pub(super) const WINDOW: &[Control] = &[
    whole("elements", "N, elements", (1.0, 24.0), 8.0),
    whole("size", "F, taps", (1.0, 9.0), 3.0),
    whole("stride", "S, stride", (1.0, 6.0), 2.0),
    whole("dilation", "D, dilation", (1.0, 4.0), 1.0),
    whole("before", "padding before", (0.0, 5.0), 1.0),
    whole("after", "padding after", (0.0, 5.0), 1.0),
];

const SIZE: (u32, u32) = (620, 274);
const LEFT: i32 = 8;
const ROW: i32 = 20;
/// Where the windows begin, and how many rows there is room for.
const TOP: i32 = 66;
const ROWS: usize = 10;

/// What a window reads, laid out below the elements.
pub(super) fn window_calculator(inputs: &Inputs) -> Result<Figure> {
    let number = |name| inputs.number(name).map(|x| x as usize);
    let n = number("elements")?;
    let window = Window::new(number("size")?)
        .stride(number("stride")?)
        .dilation(number("dilation")?)
        .padded_by(number("before")?, number("after")?);
    let status = status(&window, n)?;
    let mut svg = String::new();
    draw(&window, n, &mut svg).map_err(|e| anyhow!("drawing: {e}"))?;
    for (number, colour) in [(0, "var(--plot-1)"), (1, "var(--plot-2)")] {
        let RGBColor(r, g, b) = marker(number);
        svg = svg.replace(&format!("\"#{r:02X}{g:02X}{b:02X}\""), &format!("\"{colour}\""));
    }
    svg = svg.replace("\"#000101\"", "\"var(--fg)\"").replace("\"#000102\"", "\"var(--plot-grid)\"");
    Ok(Figure {
        svg,
        alt: "A row of numbered cells, with empty cells of padding on both sides, and below it a row for each window with a filled square \
              where it reads."
            .into(),
        caption: "A window over a padded row of elements. Filled cells are elements, empty ones padding; each row below is a window, a filled \
                  square one of its taps. A window drawn as circles sticks out behind: it counts only if one rounds up. Of many windows the first and the \
                  last are shown."
            .into(),
        status,
        frame: [0; 4],
        x: (0.0, 1.0),
        y: (0.0, 1.0),
    })
}

/// The formula, filled in, or why there is no window.
fn status(window: &Window, n: usize) -> Result<String> {
    let Window { size, stride, dilation, padding: [before, after] } = *window;
    let extent = window.extent()?;
    let up = match window.output_ceil(n) {
        Ok(count) => count,
        Err(error) => return Ok(format!("No window: {error}.")),
    };
    let taps = format!("E = {dilation}·({size} − 1) + 1 = {extent}");
    let count = match window.output(n) {
        Ok(count) => count,
        Err(error) => return Ok(format!("{taps}. No window: {error}. Rounded up: {up}.")),
    };
    let mut read = vec![false; n];
    for taps in window.windows(n)? {
        taps.elements().for_each(|element| read[element] = true);
    }
    let missed = match read.iter().filter(|read| !**read).count() {
        0 => "Every element is read".to_owned(),
        1 => "1 element is never read".to_owned(),
        missed => format!("{missed} elements are never read"),
    };
    let inputs = window.inputs_for(count)?;
    Ok(format!(
        "{taps}. ⌊({n} + {before} + {after} − {extent})/{stride}⌋ + 1 = {count}; rounded up {up}. {missed}. {count} come of N = {} to {}.",
        inputs.start(),
        inputs.end(),
    ))
}

/// Each window that is drawn: its number, and whether it sticks out behind. Where there are many, those in the middle are left out, and
/// a nothing stands for them.
fn shown(window: &Window, n: usize) -> Result<Vec<Option<(usize, bool)>>, Geometry> {
    let inside = window.output(n).unwrap_or(0);
    let all: Vec<_> =
        (0..window.output_ceil(n)?).map(|position| Some((position, position >= inside))).collect();
    if all.len() <= ROWS {
        return Ok(all);
    }
    let (first, last) = (&all[..ROWS - 3], &all[all.len() - 2..]);
    Ok([first, &[None], last].concat())
}

fn draw<'a>(window: &Window, n: usize, svg: &'a mut String) -> Result<(), Box<dyn std::error::Error + 'a>> {
    let [before, after] = window.padding;
    let length = before + n + after;
    // A window that fits nowhere is shown where it would begin.
    let rows = shown(window, n).unwrap_or_else(|_| vec![Some((0, true))]);
    let ends = rows.iter().flatten().map(|(position, _)| position * window.stride);
    let extent = window.extent()?;
    let columns = ends.map(|start| start + extent).max().unwrap_or(0).max(length);
    let cell = ((SIZE.0 as i32 - 2 * LEFT) / columns as i32).min(34);
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    let x = |column: usize| LEFT + column as i32 * cell;
    let middle = |column: usize| x(column) + cell / 2;
    for column in 0..length {
        let corners = [(x(column), 24), (x(column) + cell - 3, 52)];
        if (before..before + n).contains(&column) {
            root.draw(&Rectangle::new(corners, GRID.filled()))?;
            let name = (column - before).to_string();
            let font = ("sans-serif", 13).into_font().color(&INK);
            root.draw(&Text::new(name.clone(), (middle(column) - 1 - 4 * name.len() as i32, 31), font))?;
        } else {
            root.draw(&Rectangle::new(corners, GRID.stroke_width(1)))?;
        }
    }
    for (row, position) in rows.iter().enumerate() {
        let y = TOP + row as i32 * ROW;
        let Some((position, sticks_out)) = *position else {
            let font = ("sans-serif", 15).into_font().color(&INK);
            root.draw(&Text::new("…", (LEFT + 4, y - 4), font))?;
            continue;
        };
        let start = position * window.stride;
        let colour = marker(usize::from(sticks_out));
        let line = vec![(middle(start), y + 6), (middle(start + extent - 1), y + 6)];
        root.draw(&PathElement::new(line, colour.stroke_width(2)))?;
        for column in (0..window.size).map(|tap| start + tap * window.dilation) {
            let at = (middle(column) - 1, y + 6);
            // Colour is never the only difference.
            if sticks_out {
                root.draw(&Circle::new(at, 5, colour.filled()))?;
            } else {
                root.draw(&Rectangle::new([(at.0 - 5, y), (at.0 + 5, y + 12)], colour.filled()))?;
            }
        }
    }
    root.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_fills_the_formula_in() {
        let window = Window::new(3).stride(3).padded(1);
        assert_eq!(
            status(&window, 10).unwrap(),
            "E = 1·(3 − 1) + 1 = 3. ⌊(10 + 1 + 1 − 3)/3⌋ + 1 = 4; rounded up 4. Every element is read. 4 come of N = 10 to 12."
        );
        let text = status(&Window::new(9).stride(2), 4).unwrap();
        assert!(text.starts_with("No window: a window of extent 9 over 4 elements"), "{text}");
        let text = status(&Window::new(5).stride(2), 4).unwrap();
        assert!(text.contains("No window") && text.ends_with("Rounded up: 1."), "{text}");
    }

    #[test]
    fn it_can_be_drawn_at_the_ends_of_every_slider() {
        for (n, size) in [(1, 1), (1, 9), (24, 1), (24, 9)] {
            for (stride, dilation) in [(1, 1), (1, 4), (6, 1), (6, 4)] {
                for (before, after) in [(0, 0), (0, 5), (5, 0), (5, 5)] {
                    let window = Window::new(size).stride(stride).dilation(dilation).padded_by(before, after);
                    let mut svg = String::new();
                    draw(&window, n, &mut svg).unwrap();
                    assert!(svg.contains("</svg>") && shown(&window, n).map_or(0, |rows| rows.len()) <= ROWS);
                    assert!(!status(&window, n).unwrap().is_empty());
                }
            }
        }
    }
}
