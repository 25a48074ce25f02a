//! Figures of the chapter on speed, from a measurement: the one that was committed, or one of the reader's own machine.

use super::bars::{Bar, bars};
use super::plot::short;
use super::{Button, Control, Figure, Inputs, Plot};
use anyhow::{Context, Result};
use gradus_benches::machine::{Effort, LADDER, Limits, Measurement, Sample, committed};

/// The button that measures.
pub(super) const MEASURE: &[Control] = &[Control::Button(Button {
    name: "measure",
    label: "Measure this machine",
    busy: "Measuring this machine, which takes a few seconds …",
    stays: false,
})];

fn of_the_book() -> Result<Measurement> {
    committed().context("benches/measured/machine.json")
}

/// Where a measurement comes from.
fn origin(m: &Measurement) -> String {
    let cores = m.limits[1].threads;
    format!("{}, {cores} core{}, {}, {}", m.processor, if cores == 1 { "" } else { "s" }, m.compiler, m.date)
}

/// What the machine can do at most, and what some work reaches.
pub(super) fn roofline(inputs: &Inputs) -> Result<Figure> {
    let yours = inputs.pressed("measure")?;
    let m = if yours { Measurement::take(Effort::Quick)? } else { of_the_book()? };
    let [one, all] = m.limits;
    let at = |s: &Sample, text: &str| (s.intensity().log10(), s.gflops().log10(), text.to_owned());
    let works = m.works.iter().map(|s| {
        at(
            s,
            match s.name.as_str() {
                "ReLU" => "ReLU",
                "dot" => "dot",
                "matrix times vector" => "W·x",
                "product 64" => "64",
                "product 1024" => "1024",
                _ => "",
            },
        )
    });
    // The upper rungs stand too close for a number each.
    let rungs = m.ladder.iter().zip(["1", "2"].into_iter().chain(std::iter::repeat("")));
    let roof = |limits: Limits| move |x: f64| limits.roof(10f64.powf(x)).log10();
    let ridge = |limits: Limits| (limits.peak_f32 / limits.bandwidth).log10();
    let status = format!(
        "{}: one thread {} GFLOP/s and {} GB/s; {} threads {} GFLOP/s and {} GB/s, so the ridge is at {} operations a byte.",
        if yours { format!("Your machine, {}", m.processor) } else { origin(&m) },
        short(one.peak_f32),
        short(one.bandwidth),
        all.threads,
        short(all.peak_f32),
        short(all.bandwidth),
        short(all.peak_f32 / all.bandwidth),
    );
    let figure = Plot::new("arithmetic intensity, operations a byte", -1.1..3.0, -0.5..4.0)
        .y_name("GFLOP/s")
        .log_x()
        .log_y()
        .break_at(ridge(one))
        .break_at(ridge(all))
        .line("roof, 1 thread", roof(one))
        .line(&format!("roof, {} threads", all.threads), roof(all))
        .points("work", works.collect())
        .points("ladder", rungs.map(|(s, text)| at(s, text)).collect())
        .figure(
            "Two roofs that rise with the intensity and become level at the peak. ReLU, dot product and matrix times vector lie close \
             below the slope, products of matrices below the level part; the ladder climbs at one intensity from far below to the roof.",
            &format!(
                "The roofline: no work can be above it. Circles are work on all threads, numbers are the sizes of square matrices; \
                 triangles are the rungs of the ladder, matrices of {LADDER} rows. {}",
                if yours {
                    "Measured on your machine just now; Reset brings the book’s measurement back.".into()
                } else {
                    format!("Measured on {}.", origin(&m))
                }
            ),
        )?;
    Ok(figure.status(status))
}

/// The rungs of the ladder against the peak.
pub(super) fn ladder() -> Result<Figure> {
    let m = of_the_book()?;
    let bar = |(i, s): (usize, &Sample)| {
        let most = m.limits[usize::from(s.threads > 1)].peak_f32;
        let share = 100.0 * s.gflops() / most;
        let text = format!("{}. {}: {} GFLOP/s, {share:.0} %", i + 1, s.name, short(s.gflops()));
        Bar { text, value: s.gflops(), most }
    };
    let rungs: Vec<_> = m.ladder.iter().enumerate().map(bar).collect();
    let alt = rungs.iter().map(|b| b.text.as_str()).collect::<Vec<_>>().join("; ");
    let caption = format!(
        "The ladder: matrices of {LADDER} rows and columns, against the peak of as many threads (faint). The last rung has all \
         cores. Measured on {}.",
        origin(&m)
    );
    bars(&rungs, &alt, &caption)
}

/// What the first touch of memory costs.
pub(super) fn page_faults() -> Result<Figure> {
    let m = of_the_book()?;
    let most = m.pages.iter().map(Sample::gbytes).fold(0.0, f64::max);
    let bar = |s: &Sample| {
        let text = format!("{}: {} ms, {} GB/s", s.name, short(s.seconds * 1e3), short(s.gbytes()));
        Bar { text, value: s.gbytes(), most }
    };
    let rows: Vec<_> = m.pages.iter().map(bar).collect();
    let alt = rows.iter().map(|b| b.text.as_str()).collect::<Vec<_>>().join("; ");
    let caption = format!(
        "64 MiB filled with ones by one thread, in GB/s: into memory that the system has just given, into the same in pages of 2 MiB, and \
         into a buffer that was there. Measured on {}.",
        origin(&m)
    );
    bars(&rows, &alt, &caption)
}
