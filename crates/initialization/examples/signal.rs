//! The signal through fifty layers, forward and back, as each scheme begins:
//! `cargo run --release -p gradus-initialization --example signal`.
#![allow(clippy::print_stdout)] // a program prints

use gradus_initialization::{FanMode, Gain, Init, gain_of, signal};
use gradus_tensor::Result;
use rand::{SeedableRng, rngs::ChaCha8Rng};

fn main() -> Result<()> {
    let relu = |z: f64| (z.max(0.0), f64::from(z > 0.0));
    let tanh = |z: f64| (z.tanh(), 1.0 - z.tanh().powi(2));
    let tanh_gain = Gain::Of(gain_of(f64::tanh)?);
    println!("{:28} {:>10} {:>10} {:>10} {:>10}", "", "ReLU", "back", "tanh", "back");
    for (name, init) in [
        ("standard deviation 1/n", Init::normal(1.0 / 128.0)),
        ("PyTorch's default", Init::fan_in_uniform()),
        ("LeCun, 1/n", Init::lecun_normal()),
        ("Xavier, uniform", Init::xavier_uniform()),
        ("Xavier, gain of tanh, 5/3", Init::xavier_normal().gain(Gain::Tanh)),
        ("Xavier, gain 1.5925", Init::xavier_normal().gain(tanh_gain)),
        ("He, 2/n", Init::he_normal()),
        ("He by fan-out, truncated", Init::he_normal().fan(FanMode::Out).truncated()),
        ("orthogonal", Init::orthogonal()),
        ("orthogonal, gain of ReLU", Init::orthogonal().gain(Gain::Relu)),
    ] {
        print!("{name:28}");
        for f in [&relu as &dyn Fn(f64) -> (f64, f64), &tanh] {
            let s = signal(init, &[128; 51], 64, f, &mut ChaCha8Rng::seed_from_u64(1))?;
            print!(" {:>10.2e} {:>10.2e}", s.forward[50], s.backward[0]);
        }
        println!();
    }
    Ok(())
}
