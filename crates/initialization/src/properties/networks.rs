//! Of deep networks: what schemes do to the signal, measured.

use crate::{FanMode, Fans, Init, signal};
use gradus_formula::{Draw, Property};
use gradus_tensor::rng;

fn relu(z: f64) -> (f64, f64) {
    (z.max(0.0), f64::from(z > 0.0))
}

fn identity(z: f64) -> (f64, f64) {
    (z, 1.0)
}

/// The logarithm of what is left of a second moment after 30 layers of width 128, to base 2.
fn left(
    init: Init,
    activation: impl Fn(f64) -> (f64, f64),
    seed: u64,
    back: bool,
) -> Result<f64, gradus_tensor::Error> {
    let s = signal(init, &[128; 31], 8, activation, &mut rng(seed))?;
    let ratio = if back { s.backward[0] / s.backward[30] } else { s.forward[30] / s.forward[0] };
    Ok(ratio.log2())
}

/// A property of 30 layers. Per layer and unit the second moment's relative variance is at most 5, so that of the mean over 128 units and 30 layers is below
/// 30·5/128 ≈ 1.2: the logarithm's deviation is about 1.1·1.44 = 1.6 bits, and 6.5 of them, with its drift of half the variance, 11.3.
fn deep(id: &'static str, formula: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formula, statement)
        .draw(Draw::seed("seed"))
        .within("6.5 deviations of the logarithm, bits; false alarms below 1e-9", 11.3)
}

pub(super) fn properties() -> Vec<Property> {
    vec![
        deep("he-var.depth", &["he-var"], "after 30 ReLU layers the second moment is still of its first size")
            .check(|case| Ok(left(Init::he_normal(), relu, case.seed("seed"), false)?.abs())),
        deep("he-var.lecun-halves", &["he-var", "xavier-var"], "with 1/n each of 30 ReLU layers halves it: 2⁻³⁰")
            .check(|case| Ok((left(Init::lecun_normal(), relu, case.seed("seed"), false)? + 30.0).abs())),
        deep("he-var.backward", &["he-var"], "by fan-out, the gradient keeps its size on the way back")
            .check(|case| {
                Ok(left(Init::he_normal().fan(FanMode::Out), relu, case.seed("seed"), true)?.abs())
            }),
        deep("xavier-preserve.linear", &["xavier-preserve", "xavier-var"], "without an activation, 1/n keeps it")
            .check(|case| Ok(left(Init::lecun_normal(), identity, case.seed("seed"), false)?.abs())),
        {
            let mut property = Property::refutation(
                "he-var.printed-one-over-n",
                &["he-var", "xavier-preserve"],
                "1/n preserves the second moment through 30 ReLU layers",
            );
            property.tolerance = deep("", &[], "").tolerance;
            property.check(|_| Ok(left(Init::lecun_normal(), relu, 0, false)?.abs()))
        },
        Property::new(
            "orthogonal-init.depth",
            &["orthogonal-init"],
            "without an activation, square orthogonal layers keep each row's length, forward and back, at any depth",
        )
        .draw(Draw::size("n", 1..=20))
        .draw(Draw::size("layers", 1..=60))
        .draw(Draw::seed("seed"))
        .within("a rounding a layer", 1e-12)
        .check(|case| {
            let widths = vec![case.size("n"); case.size("layers") + 1];
            let s = signal(Init::orthogonal(), &widths, 3, identity, &mut rng(case.seed("seed")))?;
            let off = |x: &[f64]| x.iter().map(|m| (m / x[0] - 1.0).abs()).fold(0.0, f64::max);
            Ok(off(&s.forward).max(off(&s.backward)))
        }),
        Property::new(
            "glorot-var.both-ways",
            &["glorot-var"],
            "through one layer the signal changes by n_in·v and the gradient by n_out·v, v Glorot's",
        )
        .draw(Draw::size("n", 32..=128))
        .draw(Draw::size("m", 32..=128))
        .draw(Draw::seed("seed"))
        // Relative deviations of a mean over nm/n or nm/m products of normals: below 0.27.
        .within("6.5 standard errors, false alarms below 1e-9", 1.8)
        .check(|case| {
            let (n, m) = (case.size("n"), case.size("m"));
            let s = signal(Init::xavier_normal(), &[n, m], 64, identity, &mut rng(case.seed("seed")))?;
            let v = Init::xavier_normal().law(Fans::dense(n, m))?.variance();
            let ahead = s.forward[1] / s.forward[0] / (n as f64 * v) - 1.0;
            let back = s.backward[0] / s.backward[1] / (m as f64 * v) - 1.0;
            Ok(ahead.abs().max(back.abs()))
        }),
    ]
}
