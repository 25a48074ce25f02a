//! Figures of the chapters on convolution.

use super::plot::{GRID, INK, marker};
use super::{Control, Figure, Grid, Inputs, Scale, Slider, Touch};
use anyhow::{Result, anyhow};
use gradus_cnn::{Geometry, Window, conv2d};
use gradus_datasets::Images;
use gradus_tensor::Tensor;
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
    Ok(Figure {
        svg: themed(&svg),
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

/// The drawing in the page's colours, light or dark.
fn themed(svg: &str) -> String {
    let mut svg = svg.replace("\"#000101\"", "\"var(--fg)\"").replace("\"#000102\"", "\"var(--plot-grid)\"");
    for (number, colour) in [(0, "var(--plot-1)"), (1, "var(--plot-2)")] {
        let RGBColor(r, g, b) = marker(number);
        svg = svg.replace(&format!("\"#{r:02X}{g:02X}{b:02X}\""), &format!("\"{colour}\""));
    }
    svg
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

/// A filter on a small image. Behind the ready ones comes that of the grid.
pub(super) const FILTER: &[Control] = &[
    whole("filter", "filter", (0.0, FILTERS.len() as f64), 1.0),
    Control::Grid(Grid {
        name: "own",
        label: "your own weights",
        size: (3, 3),
        range: (-4.0, 4.0),
        touch: Touch::Step(1.0),
        default: || vec![0.0, 1.0, 2.0, -1.0, 0.0, 1.0, -2.0, -1.0, 0.0],
        chooses: Some(("filter", FILTERS.len() as f64)),
    }),
    whole("stride", "S, stride", (1.0, 3.0), 1.0),
    whole("dilation", "D, dilation", (1.0, 2.0), 1.0),
    whole("padding", "P, padding", (0.0, 2.0), 1.0),
    whole("row", "row of the window", (0.0, 9.0), 3.0),
    whole("column", "column of the window", (0.0, 9.0), 4.0),
];

/// The filters that can be chosen, of three by three weights.
const FILTERS: [(&str, [f64; 9]); 5] = [
    ("mean of nine", [1.0 / 9.0; 9]),
    ("edges, left to right", [-1.0, 0.0, 1.0, -2.0, 0.0, 2.0, -1.0, 0.0, 1.0]),
    ("edges, top to bottom", [-1.0, -2.0, -1.0, 0.0, 0.0, 0.0, 1.0, 2.0, 1.0]),
    ("what differs from its neighbours", [-1.0, -1.0, -1.0, -1.0, 8.0, -1.0, -1.0, -1.0, -1.0]),
    ("the centre alone", [0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]),
];

/// The side of a pixel, where the pictures begin, and how much room the largest has: eight rows and two of padding on each side.
const PIXEL: i32 = 22;
const PICTURES: i32 = 30;
const SLIDING: (u32, u32) = (SIZE.0, PICTURES as u32 + 12 * PIXEL as u32 + 2);
const OUTPUT: i32 = 340;

/// A digit, a window on it, and what the filter makes of all windows.
pub(super) fn sliding_window(inputs: &Inputs) -> Result<Figure> {
    let number = |name| inputs.number(name).map(|x| x as usize);
    let (name, weights) = match FILTERS.get(number("filter")?) {
        Some((name, weights)) => (*name, weights.as_slice()),
        None => ("your own", inputs.cells("own")?),
    };
    // Sixths and ninths are not exact: nothing is left of a sum that is none.
    let sum = (weights.iter().sum::<f64>() * 1e9).round() / 1e9;
    let padding = number("padding")?;
    let window = Window::new(3).stride(number("stride")?).dilation(number("dilation")?).padded(padding);
    let (pixels, _) = Images::digits()?.batch::<f64>(&[3])?;
    let side = 8;
    let image = pixels.reshape([1, 1, side, side])?;
    let weight = Tensor::from_vec(weights.to_vec(), [1, 1, 3, 3])?;
    let output = conv2d(&image, &weight, None, [window, window])?;
    let outputs = output.dims()[3];
    let at = [number("row")?.min(outputs - 1), number("column")?.min(outputs - 1)];
    let value = output.get([0, 0, at[0], at[1]])?;

    let mut svg = String::new();
    let mut paint = || -> Result<(), Box<dyn std::error::Error>> {
        let root = SVGBackend::with_string(&mut svg, SLIDING).into_drawing_area();
        let font = ("sans-serif", 14).into_font().color(&INK);
        let square = |x: i32, y: i32| [(x, y), (x + PIXEL - 1, y + PIXEL - 1)];
        let shade = |colour: RGBColor, share: f64| colour.mix(share.clamp(0.0, 1.0)).filled();
        let top = PICTURES;
        root.draw(&Text::new("image and window", (LEFT, 4), font.clone()))?;
        root.draw(&Text::new("output", (OUTPUT, 4), font.clone()))?;
        let padded = (side + 2 * padding) as i32;
        for row in 0..padded {
            for column in 0..padded {
                let inside = |i: i32| usize::try_from(i - padding as i32).ok().filter(|i| *i < side);
                let (x, y) = (LEFT + column * PIXEL, top + row * PIXEL);
                root.draw(&Rectangle::new(square(x, y), GRID))?;
                if let (Some(i), Some(j)) = (inside(row), inside(column)) {
                    let ink = image.get([0, 0, i, j])?;
                    root.draw(&Rectangle::new(square(x, y), shade(INK, ink)))?;
                }
            }
        }
        for u in 0..3 {
            for v in 0..3 {
                let place = |axis: usize, tap: usize| {
                    ((at[axis] * window.stride + tap * window.dilation) as i32) * PIXEL
                };
                let (x, y) = (LEFT + place(1, v), top + place(0, u));
                root.draw(&Rectangle::new(square(x, y), marker(1).stroke_width(3)))?;
            }
        }
        let largest = output.as_slice().iter().fold(f64::MIN_POSITIVE, |m, x| m.max(x.abs()));
        for (i, &value) in output.as_slice().iter().enumerate() {
            let (x, y) = (OUTPUT + (i % outputs) as i32 * PIXEL, top + (i / outputs) as i32 * PIXEL);
            let colour = if value < 0.0 { marker(1) } else { marker(0) };
            root.draw(&Rectangle::new(square(x, y), GRID))?;
            root.draw(&Rectangle::new(square(x, y), shade(colour, value.abs() / largest)))?;
        }
        let (x, y) = (OUTPUT + at[1] as i32 * PIXEL, top + at[0] as i32 * PIXEL);
        root.draw(&Rectangle::new(square(x, y), INK.stroke_width(3)))?;
        root.present()?;
        Ok(())
    };
    paint().map_err(|e| anyhow!("drawing: {e}"))?;
    let status = format!(
        "Filter: {name}; its weights add up to {}. Output {outputs} × {outputs}; at row {}, column {} it is {}.",
        gradus_formula::number(sum).replace('-', "−"),
        at[0],
        at[1],
        gradus_formula::number(value).replace('-', "−"),
    );
    Ok(Figure {
        svg: themed(&svg),
        alt: "A digit of 8 by 8 pixels with a window of nine taps on it, and beside it the image of the outputs.".into(),
        caption: "A digit, padded, with the nine taps of the window, and the outputs of all windows: one colour above 0, the other below, paler \
                  towards 0. The framed output is that of the window shown."
            .into(),
        status,
        frame: [0; 4],
        x: (0.0, 1.0),
        y: (0.0, 1.0),
    })
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
    fn own_weights_count_when_they_are_chosen() {
        let draw = |filter: usize, own: [f64; 9]| {
            let sent = serde_json::json!({ "filter": filter, "own": own, "row": 4, "column": 2 });
            sliding_window(&Inputs::read(FILTER, sent.as_object().unwrap()).unwrap()).unwrap()
        };
        let (own, centre, mut left) = (FILTERS.len(), FILTERS[4].1, [0.0; 9]);
        left[3] = 1.0;
        assert_eq!(draw(own, centre).svg, draw(4, left).svg, "the centre alone, painted and ready");
        assert_ne!(draw(own, left).svg, draw(own, centre).svg);
        let status = draw(own, [4.0; 9]).status;
        assert!(status.starts_with("Filter: your own; its weights add up to 36."), "{status}");
        assert!(draw(1, left).status.starts_with("Filter: edges, left to right; its weights add up to 0."));
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
