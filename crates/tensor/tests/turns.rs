//! The functions that random normals are made of: sines and cosines of turns, logarithms of normal numbers.

use gradus_tensor::math::{self, Level};

/// The exact quarter and the rest, in double precision: x = quarter/4 + rest with |rest| ≤ 1/8.
fn reduced(x: f64) -> (i64, f64) {
    let quarter = (4.0 * x).round_ties_even();
    (quarter as i64, (4.0 * x - quarter) * std::f64::consts::FRAC_PI_2)
}

fn reference(x: f64) -> (f64, f64) {
    let (quarter, r) = reduced(x);
    let (sin, cos) = r.sin_cos();
    match quarter.rem_euclid(4) {
        0 => (sin, cos),
        1 => (cos, -sin),
        2 => (-sin, -cos),
        _ => (-cos, sin),
    }
}

/// The distance in units in the last place of a number with so many bits.
fn ulps(got: f64, want: f64, bits: i32) -> f64 {
    if got == want {
        return 0.0;
    }
    (got - want).abs() / 2f64.powi(want.abs().log2().floor() as i32 + 1 - bits)
}

/// Numbers in ±1 that fill their last digits, and the smallest ones.
fn numbers(count: u32) -> impl Iterator<Item = f64> {
    let spread = (0..count).map(|i| (f64::from(i) * 0.618_033_988_749_894_9).fract() * 2.0 - 1.0);
    let small = (1..120).flat_map(|k| [0.3, -0.7].map(|x: f64| x * 2f64.powi(-k)));
    spread.chain(small)
}

#[test]
fn within_two_units_of_the_last_place() {
    let (mut single, mut double) = (0f64, 0f64);
    for x in numbers(400_000) {
        let (sin, cos) = math::sin_cos_turns(x as f32);
        let want = reference(f64::from(x as f32));
        single = single.max(ulps(sin.into(), want.0, 24)).max(ulps(cos.into(), want.1, 24));
        let (sin, cos) = math::sin_cos_turns(x);
        let want = reference(x);
        double = double.max(ulps(sin, want.0, 53)).max(ulps(cos, want.1, 53));
    }
    // The double reference is itself off by up to one.
    assert!(single <= 2.0 && double <= 3.0, "{single} {double}");
}

#[test]
fn quarters_are_exact() {
    for (x, want) in [(0.0, (0.0, 1.0)), (0.25, (1.0, 0.0)), (0.5, (0.0, -1.0)), (-0.25, (-1.0, 0.0))] {
        let (sin, cos): (f64, f64) = math::sin_cos_turns(x);
        assert_eq!((sin, cos), want);
        let (sin, cos) = math::sin_cos_turns(x as f32 + 1000.0);
        assert_eq!((f64::from(sin), f64::from(cos)), want);
    }
    assert!(math::sin_cos_turns(f32::NAN).0.is_nan());
}

#[test]
fn the_same_bits_at_every_instruction_set_and_as_ln() {
    let x: Vec<f32> = numbers(20_000).map(|x| x as f32).collect();
    let at = |level| {
        let mut out = vec![(0.0, 0.0, 0.0); x.len()];
        math::map_into_at(
            level,
            &x,
            &mut out,
            #[inline(always)]
            |x: f32| {
                let (sin, cos) = math::sin_cos_turns(x);
                (sin, cos, math::ln_of_normal(x.abs() + f32::MIN_POSITIVE))
            },
        );
        out
    };
    let base = at(Level::Baseline);
    assert!(Level::ALL.into_iter().all(|level| at(level) == base));
    assert!(x.iter().zip(&base).all(|(x, y)| y.2 == math::ln(x.abs() + f32::MIN_POSITIVE)));
    let wide = numbers(20_000).map(|x| x.abs() + f64::MIN_POSITIVE);
    assert!(wide.into_iter().all(|x| math::ln_of_normal(x) == math::ln(x)));
}
