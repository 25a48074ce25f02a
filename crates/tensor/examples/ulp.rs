//! The table of the elementary functions: their errors in units in the last place, and their speed.
//!
//! `cargo run --release -p gradus-tensor --example ulp -- [--exhaustive] [--only NAME,NAME] [--markdown PATH]`
#![allow(clippy::print_stdout)] // a program prints

#[path = "../tests/reference/mod.rs"]
mod reference;

use gradus_tensor::Scalar;
use gradus_tensor::math::{self, Level};
use reference::singles::Worst;
use reference::{reference, ulps};
use std::fmt::Write;
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

type Function<T> = fn(T) -> T;

/// A function: name, in single and double precision over slices, std's or libm's, where its double argument
/// is drawn from, and where speed is measured.
struct Row {
    name: &'static str,
    single: fn(Level, &[f32], &mut [f32]),
    double: fn(Level, &[f64], &mut [f64]),
    standard: (Function<f32>, Function<f64>),
    ends: [f64; 2],
    timed: [f64; 2],
}

macro_rules! rows {
    ($($name:ident, $wide:expr, $f32:expr, $ends:expr, $timed:expr;)*) => {
        [$(Row {
            name: stringify!($name),
            single: |level, x, out| {
                math::map_into_at(
                    level,
                    x,
                    out,
                    #[inline(always)]
                    |x| math::$name(x),
                )
            },
            double: |level, x, out| {
                math::map_into_at(
                    level,
                    x,
                    out,
                    #[inline(always)]
                    |x| math::$name(x),
                )
            },
            standard: ($f32, $wide),
            ends: $ends,
            timed: $timed,
        }),*]
    };
}

/// ln(1 + eˣ) with std's functions.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p() + 0.0 * x
}

fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

const NEAR: [f64; 2] = [-8.0, 8.0];
const ABOVE: [f64; 2] = [1e-3, 64.0];

fn rows() -> [Row; 13] {
    let mut rows = rows! {
        exp, f64::exp, f32::exp, [-745.0, 709.7], NEAR;
        exp_m1, f64::exp_m1, f32::exp_m1, [-38.0, 709.7], NEAR;
        ln, f64::ln, f32::ln, [5e-324, 1.7e308], ABOVE;
        ln_1p, f64::ln_1p, f32::ln_1p, [-0.999_999_999_999_999_9, 1.7e308], ABOVE;
        softplus, softplus, |x| x.max(0.0) + (-x.abs()).exp().ln_1p(), [-745.0, 1e3], NEAR;
        tanh, f64::tanh, f32::tanh, [-20.0, 20.0], NEAR;
        sigmoid, |x| 1.0 / (1.0 + (-x).exp()), |x| 1.0 / (1.0 + (-x).exp()), [-745.0, 38.0], NEAR;
        erf, libm::erf, libm::erff, [-6.0, 6.0], NEAR;
        erfc, libm::erfc, libm::erfcf, [-6.0, 27.2], NEAR;
        normal_cdf, normal_cdf, |x| 0.5 * libm::erfcf(-x * std::f32::consts::FRAC_1_SQRT_2), [-38.4, 8.3], NEAR;
        gelu, |x| x * normal_cdf(x), |x| 0.5 * x * libm::erfcf(-x * std::f32::consts::FRAC_1_SQRT_2), [-38.4, 8.3], NEAR;
        sin, f64::sin, f32::sin, [-1.0e9, 1.0e9], NEAR;
        cos, f64::cos, f32::cos, [-1.0e9, 1.0e9], NEAR;
    };
    for row in &mut rows {
        // These have a branch: their own loops over slices are what vectorises, at the best level.
        match row.name {
            "sin" => {
                row.single = |_, x, out| math::sin_into(x, out);
                row.double = |_, x, out| math::sin_into(x, out);
            }
            "cos" => {
                row.single = |_, x, out| math::cos_into(x, out);
                row.double = |_, x, out| math::cos_into(x, out);
            }
            _ => {}
        }
    }
    rows
}

/// All singles, or every 61st, with the part that is done on the terminal.
fn singles(row: &Row, exhaustive: bool) -> Worst<f32> {
    let best = Level::best();
    let last = AtomicUsize::new(0);
    let done = |part: f64| {
        let percent = (100.0 * part) as usize;
        if last.fetch_max(percent, Ordering::Relaxed) < percent {
            eprint!("\r{:12} {percent:3} %", row.name);
        }
    };
    let (single, double) = reference::singles::worst(
        row.name,
        |x, out| (row.single)(best, x, out),
        |x, out| (row.double)(best, x, out),
        if exhaustive { 1 } else { 61 },
        done,
    );
    eprintln!("\r{:12} judged by doubles that are {:.2} ulp off at most", row.name, double.far);
    single
}

/// The largest error of doubles at a million points, half by size and half even, by a rule without randomness.
fn doubles(row: &Row) -> (f64, f64) {
    let [low, high] = row.ends;
    let n = 1_000_000;
    let golden = 0.618_033_988_749_894_9;
    let x: Vec<f64> = (0..n)
        .map(|i| {
            let end = if i % 2 == 0 && low < 0.0 { low } else { high };
            let size = (f64::from(i) * golden).fract();
            if i % 4 < 2 { end * 2f64.powf(-60.0 * size) } else { end.clamp(-20.0, 20.0) * size }
        })
        .collect();
    let mut y = vec![0.0; x.len()];
    (row.double)(Level::best(), &x, &mut y);
    x.iter().zip(&y).fold((0.0, 0.0), |worst, (&x, &y)| {
        let far = ulps(y, reference(row.name, x), 53, -1074);
        if far > worst.0 { (far, x) } else { worst }
    })
}

/// Nanoseconds an element, the best of several runs over a slice that stays in the second cache.
fn nanoseconds<T: Scalar>(ends: [f64; 2], run: impl Fn(&[T], &mut [T])) -> f64 {
    let n = 16_384;
    let x: Vec<T> = (0..n)
        .map(|i| T::of(ends[0] + (ends[1] - ends[0]) * f64::from(i * 7919 % n) / f64::from(n)))
        .collect();
    let mut y = x.clone();
    let once = || {
        let start = Instant::now();
        for _ in 0..8 {
            run(black_box(&x), &mut y);
            black_box(&mut y);
        }
        start.elapsed().as_secs_f64() * 1e9 / 8.0 / f64::from(n)
    };
    std::iter::repeat_with(once).take(25).fold(f64::INFINITY, f64::min)
}

fn speeds<T: Scalar>(row: &Row, run: fn(Level, &[T], &mut [T]), standard: fn(T) -> T) -> String {
    let level = |level: Level| {
        // Sine and cosine choose their level themselves.
        let fits = level.available() && (!matches!(row.name, "sin" | "cos") || level == Level::best());
        if fits {
            format!("{:.2}", nanoseconds(row.timed, |x, out| run(level, x, out)))
        } else {
            "–".into()
        }
    };
    let std = nanoseconds(row.timed, |x, out| out.iter_mut().zip(x).for_each(|(out, &x)| *out = standard(x)));
    format!("{} | {} | {} | {std:.2}", level(Level::Avx512), level(Level::Avx2), level(Level::Baseline))
}

/// The first line of a command's output that has this prefix, without it.
fn ask(program: &str, argument: &str, prefix: &str) -> Option<String> {
    let out = std::process::Command::new(program).arg(argument).output().ok()?;
    let text = String::from_utf8(out.stdout).ok()?;
    Some(
        text.lines()
            .find_map(|line| line.strip_prefix(prefix))?
            .trim_start_matches([':', ' ', '\t'])
            .to_string(),
    )
}

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let exhaustive = arguments.iter().any(|a| a == "--exhaustive");
    let path = arguments.iter().position(|a| a == "--markdown").and_then(|i| arguments.get(i + 1));
    let only = arguments.iter().position(|a| a == "--only").and_then(|i| arguments.get(i + 1));
    let wanted = |name: &str| only.is_none_or(|only| only.split(',').any(|only| only == name));
    let extent = if exhaustive { "every single number" } else { "every 61st single number" };
    let known = |what: Option<String>| what.unwrap_or_else(|| "unknown".into());
    let cpu = std::fs::read_to_string("/proc/cpuinfo").ok();
    let cpu = cpu.and_then(|text| {
        let field =
            |name: &str| Some(text.lines().find(|l| l.starts_with(name))?.split_once(": ")?.1.to_string());
        Some(format!("{}, family {} model {}", field("model name")?, field("cpu family")?, field("model\t")?))
    });
    let mut table = String::new();
    let _ = writeln!(
        table,
        "Measured on {}, best level {:?}, with {}, on {}. Errors: {extent}, a million doubles; \
         speed: nanoseconds an element, one thread, 16 384 elements, arguments where the function is neither 0 nor constant.\n\n\
         | function | precision | largest error, ulp | at | AVX-512 | AVX2 | baseline | std, libm |\n|---|---|---|---|---|---|---|---|",
        known(cpu),
        Level::best(),
        known(ask("rustc", "--version", "")),
        known(ask("date", "+%Y-%m-%d", "")),
    );
    println!("{table}");
    for row in rows().iter().filter(|row| wanted(row.name)) {
        let Worst { far, at: x } = singles(row, exhaustive);
        let single = format!(
            "| `{}` | `f32` | {far:.3} | {x:e} | {} |",
            row.name,
            speeds(row, row.single, row.standard.0)
        );
        println!("{single}");
        let (far, x) = doubles(row);
        let double = format!(
            "| `{}` | `f64` | {far:.3} | {x:e} | {} |",
            row.name,
            speeds(row, row.double, row.standard.1)
        );
        println!("{double}");
        let _ = writeln!(table, "{single}\n{double}");
    }
    path.map_or(Ok(()), |path| std::fs::write(path, &table))
}
