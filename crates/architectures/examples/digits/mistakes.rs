//! What a network gets wrong: which digits it takes for which, and the mistakes that it is surest of.

use gradus_datasets::Images;
use gradus_tensor::Tensor;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// A cell of the table, and a pixel of a digit.
const CELL: i32 = 44;
const PIXEL: i32 = 3;
/// Mistakes, in rows of so many.
const MOST: usize = 48;
const ROW: usize = 8;
/// Shades of ink that are told apart.
const SHADES: f64 = 8.0;
const MARGIN: i32 = 48;
const GAP: i32 = 14;

/// A mistake: the image, its class, what it was taken for, and with which probability.
struct Mistake {
    image: usize,
    class: u32,
    taken: usize,
    sure: f64,
    loss: f32,
}

/// A table of `counts`, `[K, K]`, and below it the mistakes with the greatest loss, by the logarithms of the probabilities, `[N, K]`.
pub(super) fn draw(
    images: &Images,
    logs: &Tensor<f32>,
    classes: &Tensor<u32>,
    counts: &Tensor<u32>,
) -> Result<String, String> {
    let k = counts.dims()[0];
    let mut wrong = Vec::new();
    for (image, (row, &class)) in logs.as_slice().chunks_exact(k).zip(classes.as_slice()).enumerate() {
        let largest = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        let Some((taken, log)) = largest.filter(|(taken, _)| *taken != class as usize) else { continue };
        let sure = f64::from(log.exp());
        wrong.push(Mistake { image, class, taken, sure, loss: -row[class as usize] });
    }
    wrong.sort_by(|a, b| b.loss.total_cmp(&a.loss));
    let shown = &wrong[..wrong.len().min(MOST)];

    let (w, h) = (images.width() as i32 * PIXEL, images.height() as i32 * PIXEL);
    let (table, rows) = (MARGIN + CELL * k as i32, shown.len().div_ceil(ROW) as i32);
    let width = (table + MARGIN).max(2 * MARGIN + ROW as i32 * (w + GAP));
    let height = table + 2 * MARGIN + rows * (h + 2 * GAP + 8);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (width as u32, height as u32)).into_drawing_area();
        let drawn = (|| {
            root.fill(&WHITE)?;
            cells(&root, k, counts)?;
            let title = format!(
                "{} of {} are wrong; those with the greatest loss, true digit → what it was taken for",
                wrong.len(),
                classes.len()
            );
            let style = ("sans-serif", 14).into_font().color(&BLACK);
            root.draw(&Text::new(title, (MARGIN, table + MARGIN - 18), style))?;
            for (i, mistake) in shown.iter().enumerate() {
                let x = MARGIN + (i % ROW) as i32 * (w + GAP);
                let y = table + MARGIN + 8 + (i / ROW) as i32 * (h + 2 * GAP + 8);
                digit(&root, (x, y), images, mistake)?;
            }
            root.present()
        })();
        drawn.map_err(|e: DrawingAreaErrorKind<_>| e.to_string())?;
    }
    Ok(svg)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Drawn<'a> = Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;

/// The table: a row a true digit, a column what it was taken for.
fn cells<'a>(root: &Area<'a>, k: usize, counts: &Tensor<u32>) -> Drawn<'a> {
    let centred = |size: i32, colour: &RGBColor| {
        ("sans-serif", size).into_font().color(colour).pos(Pos::new(HPos::Center, VPos::Center))
    };
    let off = |i: usize, j: usize| if i == j { 0 } else { counts.as_slice()[i * k + j] };
    let most = (0..k * k).map(|at| off(at / k, at % k)).max().unwrap_or(0).max(1);
    for i in 0..k {
        let middle = MARGIN + CELL * i as i32 + CELL / 2;
        root.draw(&Text::new(i.to_string(), (MARGIN - 14, middle), centred(15, &BLACK)))?;
        root.draw(&Text::new(i.to_string(), (middle, MARGIN - 14), centred(15, &BLACK)))?;
        for j in 0..k {
            let (x, y) = (MARGIN + CELL * j as i32, MARGIN + CELL * i as i32);
            let count = counts.as_slice()[i * k + j];
            let share = f64::from(off(i, j)) / f64::from(most);
            let colour = if i == j { RGBColor(225, 235, 245).mix(1.0) } else { RED.mix(0.75 * share) };
            let corners = [(x, y), (x + CELL, y + CELL)];
            root.draw(&Rectangle::new(corners, colour.filled()))?;
            root.draw(&Rectangle::new(corners, RGBColor(200, 200, 200)))?;
            if count > 0 {
                let place = (x + CELL / 2, y + CELL / 2);
                root.draw(&Text::new(count.to_string(), place, centred(14, &BLACK)))?;
            }
        }
    }
    Ok(())
}

/// An image with what is wrong about it.
fn digit<'a>(root: &Area<'a>, (x, y): (i32, i32), images: &Images, mistake: &Mistake) -> Drawn<'a> {
    let (width, height) = (images.width(), images.height());
    let corner = (x + PIXEL * width as i32, y + PIXEL * height as i32);
    root.draw(&Rectangle::new([(x, y), corner], RGBColor(200, 200, 200)))?;
    let shade = |p: u8| (f64::from(p) / f64::from(images.white()) * SHADES).round() / SHADES;
    for (r, row) in images.image(mistake.image).unwrap_or_default().chunks(width).enumerate() {
        let mut c = 0;
        while c < width {
            // Neighbours of the same shade are one rectangle.
            let ink = shade(row[c]);
            let run = row[c..].iter().take_while(|p| shade(**p) == ink).count();
            if ink > 0.0 {
                let (left, top) = (x + PIXEL * c as i32, y + PIXEL * r as i32);
                let right = left + PIXEL * run as i32;
                let pixels = Rectangle::new([(left, top), (right, top + PIXEL)], BLACK.mix(ink).filled());
                root.draw(&pixels)?;
            }
            c += run;
        }
    }
    let text = format!("{}→{} ({:.0} %)", mistake.class, mistake.taken, 100.0 * mistake.sure);
    let style = ("sans-serif", 12).into_font().color(&BLACK);
    root.draw(&Text::new(text, (x, corner.1 + 4), style))
}
