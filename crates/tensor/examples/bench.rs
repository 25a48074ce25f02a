#![allow(missing_docs, clippy::all, clippy::unwrap_used, clippy::print_stdout)]
use gradus_tensor::{
    Scalar,
    math::{self, *},
};
use std::time::Instant;
#[inline(never)]
fn run<T: Scalar>(name: &str, x: &[T], out: &mut [T], f: impl Fn(T) -> T + Copy) {
    print!("{name:12}");
    for level in Level::ALL {
        if !level.available() {
            continue;
        }
        let mut best = f64::MAX;
        for _ in 0..15 {
            let t = Instant::now();
            let reps = if level == Level::Baseline { 2 } else { 40 };
            for _ in 0..reps {
                map_into_at(level, x, out, f);
                std::hint::black_box(&out);
            }
            best = best.min(t.elapsed().as_secs_f64() / reps as f64 / x.len() as f64 * 1e9);
        }
        print!(" {best:8.3}");
    }
    println!();
}
fn all<T: Scalar>() {
    let x: Vec<T> = (0..16384).map(|i| T::of(((i * 7919) % 16384) as f64 / 16384.0 * 16.0 - 8.0)).collect();
    let p: Vec<T> = x.iter().map(|&v| v * v + T::of(1e-3)).collect();
    let mut o = x.clone();
    run("exp", &x, &mut o, |v| math::exp(v));
    run("exp_m1", &x, &mut o, |v| math::exp_m1(v));
    run("ln", &p, &mut o, |v| math::ln(v));
    run("ln_1p", &p, &mut o, |v| math::ln_1p(v));
    run("softplus", &x, &mut o, |v| math::softplus(v));
    run("tanh", &x, &mut o, |v| math::tanh(v));
    run("sigmoid", &x, &mut o, |v| math::sigmoid(v));
    run("erf", &x, &mut o, |v| math::erf(v));
    run("erfc", &x, &mut o, |v| math::erfc(v));
    run("gelu", &x, &mut o, |v| v * math::normal_cdf(v));
    let t = Instant::now();
    for _ in 0..400 {
        math::sin_into(&x, &mut o);
        std::hint::black_box(&o);
    }
    println!("sin_into {:.3}", t.elapsed().as_secs_f64() / 400.0 / 16384.0 * 1e9);
}
fn main() {
    println!("f32");
    all::<f32>();
    println!("f64");
    all::<f64>();
}
