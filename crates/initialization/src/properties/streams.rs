//! Of streams: Philox, Box and Muller's transformation, places.

use super::{N, Z, distance_from, mean};
use crate::{Sample, Stream, box_muller, philox};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::math::normal_cdf;
use gradus_tensor::with_threads;

pub(super) fn properties() -> Vec<Property> {
    let mut all = generator();
    all.extend(places());
    all.extend(transformation());
    all
}

fn words(property: Property) -> Property {
    ["c0", "c1", "c2", "c3", "k0", "k1"].into_iter().fold(property, |p, name| p.draw(Draw::seed(name)))
}

fn counter(case: &Case<'_>) -> ([u32; 4], [u32; 2]) {
    let of = |name| case.seed(name) as u32;
    (["c0", "c1", "c2", "c3"].map(of), ["k0", "k1"].map(of))
}

/// Philox run backwards, with the multipliers' inverses modulo 2³²: written from the paper's description, not from the code.
fn philox_inverse(mut x: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    const M: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
    // Newton's iteration doubles the right bits.
    let inverse = |m: u32| (0..5).fold(m, |y: u32, _| y.wrapping_mul(2u32.wrapping_sub(m.wrapping_mul(y))));
    for round in (0..10u32).rev() {
        let k = [
            key[0].wrapping_add(0x9E37_79B9u32.wrapping_mul(round)),
            key[1].wrapping_add(0xBB67_AE85u32.wrapping_mul(round)),
        ];
        let (x0, x2) = (x[3].wrapping_mul(inverse(M[0])), x[1].wrapping_mul(inverse(M[1])));
        let high = |m: u32, x: u32| ((u64::from(m) * u64::from(x)) >> 32) as u32;
        x = [x0, x[0] ^ high(M[1], x2) ^ k[0], x2, x[2] ^ high(M[0], x0) ^ k[1]];
    }
    x
}

fn generator() -> Vec<Property> {
    vec![
        words(Property::new(
            "philox.bijection",
            &["philox"],
            "for each key it can be undone, round by round: no two counters have the same words",
        ))
        .check(|case| {
            let (counter, key) = counter(case);
            let back = philox_inverse(philox(counter, key), key);
            Ok(back.iter().zip(&counter).filter(|(a, b)| a != b).count() as f64)
        }),
        Property::new("philox.known-answers", &["philox"], "it has the words that its authors publish").holds(|_| {
            let (pi, more) = ([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]);
            let all = u32::MAX;
            Ok(philox([0; 4], [0; 2]) == [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
                && philox([all; 4], [all; 2]) == [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
                && philox(pi, more) == [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1])
        }),
        words(Property::new(
            "philox.avalanche",
            &["philox"],
            "one bit of counter or key turns about half of the 128 bits: between 20 and 108, beyond which lies less than 10⁻¹⁴",
        ))
        .draw(Draw::integer("bit", 0..=191).limited(0.0..=191.0))
        .holds(|case| {
            let (mut c, mut k) = counter(case);
            let before = philox(c, k);
            let bit = case.size("bit");
            if bit < 128 { c[bit / 32] ^= 1 << (bit % 32) } else { k[(bit - 128) / 32] ^= 1 << (bit % 32) }
            let turned: u32 = philox(c, k).iter().zip(before).map(|(a, b)| (a ^ b).count_ones()).sum();
            Ok((20..=108).contains(&turned))
        }),
    ]
}

/// Whether a fill on one thread, one on two, and every place alone have the same bits; and whether the fill is a beginning of a longer one.
fn one_stream<T: Sample>(stream: Stream, n: usize) -> bool {
    let fill = |threads: usize, n: usize| {
        with_threads(threads, || {
            let (mut u, mut z) = (vec![T::NAN; n], vec![T::NAN; n]);
            stream.fill_uniform(&mut u);
            stream.fill_normal(&mut z);
            (u, z)
        })
    };
    let (u, z) = fill(1, n);
    let longer = fill(2, n + 40_000);
    // Over several blocks of work, and all of the first tiles.
    let places = (0..n).chain((n..longer.0.len()).step_by(211));
    let mut alone = places.map(|i| (i, i as u64));
    let alone =
        alone.all(|(i, at)| longer.0[i] == stream.uniform_at(at) && longer.1[i] == stream.normal_at(at));
    alone && longer.0[..n] == u && longer.1[..n] == z
}

fn places() -> Vec<Property> {
    vec![
        Property::new(
            "box-muller.places",
            &["box-muller", "philox"],
            "number i is the same alone, in a fill of any length, on one thread and on two, in both precisions",
        )
        .draw(Draw::size("n", 0..=600).limited(0.0..=1e5))
        .draw(Draw::choice("precision", &["f64", "f32"]))
        .draw(Draw::integer("substream", 0..=1_000_000))
        .draw(Draw::seed("seed"))
        .holds(|case| {
            let stream = Stream::new(case.seed("seed") << 20).substream(case.integer("substream") as u64);
            let n = case.size("n");
            Ok(if case.choice("precision") == "f32" {
                one_stream::<f32>(stream, n)
            } else {
                one_stream::<f64>(stream, n)
            })
        }),
        Property::new(
            "philox.independent",
            &["philox"],
            "normals of neighbouring seeds, of neighbouring substreams and of neighbouring places are uncorrelated",
        )
        .draw(Draw::seed("seed"))
        .draw(Draw::choice("beside", &["seed", "substream", "place", "tile", "word"]))
        .within("6.5 standard errors, false alarms below 1e-9", Z)
        .check(|case| {
            let seed = case.seed("seed");
            let stream = Stream::new(seed);
            let x = stream.normal::<f64>([N + 256])?.into_vec();
            let y = match case.choice("beside") {
                "seed" => Stream::new(seed + 1).normal::<f64>([N])?.into_vec(),
                "substream" => stream.substream(1).normal::<f64>([N])?.into_vec(),
                "place" => x[1..].to_vec(),
                "word" => x[64..].to_vec(),
                _ => x[128..].to_vec(),
            };
            let sum: f64 = x.iter().zip(&y).take(N).map(|(x, y)| x * y).sum();
            Ok(sum.abs() / (N as f64).sqrt())
        }),
    ]
}

/// Normals in the precision that was drawn.
fn numbers(case: &Case<'_>, normal: bool) -> Result<Vec<f64>, Failure> {
    let stream = Stream::new(case.seed("seed"));
    Ok(match (case.choice("precision"), normal) {
        ("f32", true) => stream.normal::<f32>([N])?.cast::<f64>().into_vec(),
        ("f32", false) => stream.uniform::<f32>([N])?.cast::<f64>().into_vec(),
        (_, true) => stream.normal::<f64>([N])?.into_vec(),
        (_, false) => stream.uniform::<f64>([N])?.into_vec(),
    })
}

fn seeded(id: &'static str, formula: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formula, statement)
        .draw(Draw::choice("precision", &["f64", "f32"]))
        .draw(Draw::seed("seed"))
}

/// A place of the stream of key 0 where the upper 24 bits of the word are 0, found by looking at each.
const ZEROS: u64 = 59_535_899;

fn transformation() -> Vec<Property> {
    vec![
        Property::new("box-muller.inverse", &["box-muller"], "radius and angle give u and v back")
            .draw(Draw::log("u", 1e-12..=1.0).limited(1e-300..=1.0))
            .draw(Draw::real("v", -0.5..=1.0).limited(-1.0..=1.0))
            .within("the logarithm's rounding", 1e-13)
            .check(|case| {
                let (u, v) = (case.real("u"), case.real("v"));
                let (a, b) = box_muller(u, v);
                let radius = ((-0.5 * (a * a + b * b)).exp() - u).abs() / u / (1.0 - u.ln());
                // Across the radius the point has to be where the angle says.
                let (sin, cos) = (2.0 * std::f64::consts::PI * v).sin_cos();
                let ahead = a * cos + b * sin - (-2.0 * u.ln()).sqrt();
                Ok(radius + (a * sin - b * cos).abs() + ahead.abs())
            }),
        seeded(
            "box-muller.distribution",
            &["box-muller"],
            "a stream's normals have the normal's distribution function",
        )
        .within("3.27/√N, false alarms below 1e-9 (DKW)", 3.27)
        .check(|case| Ok(distance_from(numbers(case, true)?, normal_cdf))),
        seeded("box-muller.moments", &["box-muller"], "and its first four moments: 0, 1, 0, 3")
            .within("6.5 standard errors, false alarms below 1e-9", Z)
            .check(|case| {
                let x = numbers(case, true)?;
                // Variances of x, x², x³, x⁴: 1, 2, 15, 96; the last is skewed, and gets half as much again.
                let off = [(1, 0.0, 1.0f64), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 216.0)].map(
                    |(k, want, variance)| {
                        (mean(&x, |x| x.powi(k)) - want).abs() / (variance / N as f64).sqrt()
                    },
                );
                Ok(off.into_iter().fold(0.0, f64::max))
            }),
        Property::new(
            "philox.never-zero",
            &["philox"],
            "where all 24 bits are 0, the uniform number is 2⁻²⁴",
        )
        .holds(|_| Ok(Stream::new(0).uniform_at::<f32>(ZEROS) == 1.0 / 16_777_216.0)),
        seeded(
            "philox.uniforms",
            &["philox"],
            "a stream's uniforms are spread evenly over (0, 1], and are never 0",
        )
        .within("3.27/√N, false alarms below 1e-9 (DKW)", 3.27)
        .check(|case| {
            let x = numbers(case, false)?;
            let inside = x.iter().all(|&x| x > 0.0 && x <= 1.0);
            Ok(if inside { distance_from(x, |x| x) } else { f64::INFINITY })
        }),
    ]
}
