//! Figures of the chapter on layers and normalisation.

use super::plot::{GRID, INK, decimals, marker, short};
use super::{Control, Figure, Inputs, Plot, Scale, Slider};
use anyhow::{Result, anyhow};
use gradus_autograd::{Layer, Mode, Op, Var};
use gradus_layers::{BatchNorm1d, BatchNormalization, GroupNormalization, LayerNormalization};
use gradus_tensor::Tensor;
use plotters::prelude::*;
use rand::{SeedableRng, rngs::ChaCha8Rng};

/// How many groups the group normalisation has.
pub(super) const GROUPS: &[Control] = &[Control::Slider(Slider {
    name: "groups",
    label: "groups, at most",
    range: (1.0, 6.0),
    step: 1.0,
    scale: Scale::Linear,
    default: 2.0,
    unit: "",
})];

/// Samples, channels and pixels of the drawn batch, and the result whose origins are drawn.
const SHAPE: [usize; 3] = [4, 6, 3];
const ASKED: usize = SHAPE[1] * SHAPE[2] + 2 * SHAPE[2] + 1;

/// Which inputs a result depends on, by its gradient.
fn origins<O: Op<f64, 3>>(op: &O, parameters: &[usize]) -> Result<Vec<bool>> {
    let x = Tensor::from_fn(SHAPE, |i| ((7 * i[0] + 5 * i[1] + 3 * i[2]) as f64).sin())?;
    let (gain, bias) = (Tensor::ones(parameters)?, Tensor::zeros(parameters)?);
    let inputs = [&x, &gain, &bias];
    let (_, saved) = op.forward(inputs)?;
    let mut dy = x.zeros_like();
    dy.as_mut_slice()[ASKED] = 1.0;
    let [dx, ..] = op.vjp(inputs, &saved, &dy, [true, false, false])?;
    Ok(dx.map_or_else(Vec::new, |dx| dx.as_slice().iter().map(|&d| d != 0.0).collect()))
}

/// For four normalisations, which inputs one result depends on.
pub(super) fn who_shares(inputs: &Inputs) -> Result<Figure> {
    let [_, c, s] = SHAPE;
    let wanted = inputs.number("groups")? as usize;
    let groups = (1..=wanted).rev().find(|g| c.is_multiple_of(*g)).unwrap_or(1);
    let eps = 1e-5;
    let panels = [
        ("batch".to_owned(), origins(&BatchNormalization { eps }, &[c])?),
        ("layer, over all of a sample".to_owned(), origins(&LayerNormalization { eps }, &[c, s])?),
        ("instance: a group a channel".to_owned(), origins(&GroupNormalization { groups: c, eps }, &[c])?),
        (format!("group, G = {groups}"), origins(&GroupNormalization { groups, eps }, &[c])?),
    ];
    let count = |i: usize| panels[i].1.iter().filter(|&&yes| yes).count();
    let status = format!(
        "G = {groups}. Numbers that the marked result depends on: batch {}, layer {}, instance {}, group {}.",
        count(0),
        count(1),
        count(2),
        count(3),
    );
    let mut svg = String::new();
    draw(&panels, &mut svg).map_err(|e| anyhow!("drawing: {e}"))?;
    for (number, colour) in [(0, "var(--plot-1)"), (1, "var(--plot-2)")] {
        let RGBColor(r, g, b) = marker(number);
        svg = svg.replace(&format!("\"#{r:02X}{g:02X}{b:02X}\""), &format!("\"{colour}\""));
    }
    svg = svg.replace("\"#000101\"", "\"var(--fg)\"").replace("\"#000102\"", "\"var(--plot-grid)\"");
    Ok(Figure {
        svg,
        alt: "Four grids of samples and channels. In the first a column is filled, in the second a row, in the third one cell, in \
              the fourth part of a row."
            .into(),
        caption: "Which inputs one result (the circle) depends on: those for which its gradient is not 0. Rows are samples, columns \
                  channels of three pixels each."
            .into(),
        status,
        frame: [0; 4],
        x: (0.0, 1.0),
        y: (0.0, 1.0),
    })
}

fn draw<'a>(
    panels: &[(String, Vec<bool>)],
    svg: &'a mut String,
) -> Result<(), Box<dyn std::error::Error + 'a>> {
    const PIXEL: (i32, i32) = (14, 24);
    let [n, c, s] = SHAPE;
    let root = SVGBackend::with_string(svg, (620, 320)).into_drawing_area();
    for (i, (title, filled)) in panels.iter().enumerate() {
        let (left, top) = (10 + 312 * (i as i32 % 2), 8 + 160 * (i as i32 / 2));
        let font = ("sans-serif", 16).into_font().color(&INK);
        root.draw(&Text::new(title.clone(), (left, top), font))?;
        for (at, &filled) in filled.iter().enumerate() {
            let (row, channel, pixel) = ((at / (c * s)) as i32, (at / s % c) as i32, (at % s) as i32);
            let x = left + channel * (s as i32 * PIXEL.0 + 4) + pixel * PIXEL.0;
            let y = top + 32 + row * (PIXEL.1 + 4);
            let (from, to) = ((x, y), (x + PIXEL.0 - 1, y + PIXEL.1));
            let style = if filled { marker(0).filled() } else { GRID.filled() };
            root.draw(&Rectangle::new([from, to], style))?;
            if at == ASKED {
                root.draw(&Circle::new((x + PIXEL.0 / 2, y + PIXEL.1 / 2), 5, marker(1).filled()))?;
            }
        }
    }
    debug_assert_eq!(n, 4, "the panels are as high as four samples");
    root.present()?;
    Ok(())
}

/// The share of the running statistics that a batch replaces.
pub(super) const MOMENTUM: &[Control] = &[
    Control::Slider(Slider {
        name: "momentum",
        label: "momentum",
        range: (0.01, 1.0),
        step: 0.01,
        scale: Scale::Log,
        default: 0.1,
        unit: "",
    }),
    Control::Slider(Slider {
        name: "batch",
        label: "samples in a batch",
        range: (2.0, 64.0),
        step: 1.0,
        scale: Scale::Linear,
        default: 16.0,
        unit: "",
    }),
];

/// The running mean and variance of a channel whose values have mean 3 and variance 4.
pub(super) fn running_statistics(inputs: &Inputs) -> Result<Figure> {
    const STEPS: usize = 100;
    let (momentum, batch) = (inputs.number("momentum")?, inputs.number("batch")? as usize);
    let layer = BatchNorm1d::<f64>::new(1)?.momentum(momentum)?;
    let rng = &mut ChaCha8Rng::seed_from_u64(11);
    let (mut means, mut variances) = (vec![(0.0, 0.0)], vec![(0.0, 1.0)]);
    for step in 1..=STEPS {
        let x = Tensor::random([batch, 1], &rand_distr::StandardNormal, rng)?.map(|v: f64| 2.0 * v + 3.0);
        layer.forward(&Var::constant(x), &mut Mode::Train(rng))?;
        means.push((step as f64, layer.running_mean.value().item()?));
        variances.push((step as f64, layer.running_var.value().item()?));
    }
    // How far the last fifty are from the truth, on average.
    let off = |curve: &[(f64, f64)], truth: f64| {
        let late = &curve[STEPS / 2..];
        (late.iter().map(|p| (p.1 - truth).powi(2)).sum::<f64>() / late.len() as f64).sqrt()
    };
    let status = format!(
        "Momentum {}, batches of {batch}: from step 50 on the running mean is off by {}, the running variance by {} (root mean \
         square). What they started with has the weight {} after 50 steps.",
        decimals(momentum, 2),
        decimals(off(&means, 3.0), 2),
        decimals(off(&variances, 4.0), 2),
        short((1.0 - momentum).powi(50)),
    );
    let figure = Plot::new("training step", 0.0..STEPS as f64, 0.0..8.0)
        .curve("mean", means)
        .curve("variance", variances)
        .line("true mean 3", |_| 3.0)
        .line("true variance 4", |_| 4.0)
        .figure(
            "Two curves that start at 0 and 1 and settle around the true mean and variance; a larger momentum settles sooner and \
             wavers more.",
            "Running statistics of one channel while a layer trains on numbers of mean 3 and variance 4. A large momentum follows \
             every batch; a small one takes long to forget that it began at 0 and 1.",
        )?;
    Ok(figure.status(status))
}
