//! Points of the plane in shapes that a straight line does not separate, drawn from a seed.

use crate::{Classification, Error, Result};
use gradus_tensor::Tensor;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use std::f64::consts::{PI, TAU};

/// Two half circles that reach into each other.
///
/// Class 0 is the upper half of the unit circle about (0, 0), from right to left; class 1 the lower half of that about
/// (1, ½), from left to right. The points of a class stand at equal angles; then each coordinate gets a normal error of the
/// deviation `noise`. No line separates the two, a curve does while the noise stays below about 0.1.
///
/// **Shapes**: `counts` samples of each class; features `[n₀ + n₁, 2]`. **Units**: noise in those of the radius, 1.
///
/// ```
/// use gradus_datasets::two_moons;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let mut rng = ChaCha8Rng::seed_from_u64(7);
/// let moons = two_moons([100, 50], 0.05, &mut rng)?;
/// assert_eq!(moons.features.shape(), [150, 2]);
/// assert_eq!(two_moons([3, 1], 0.0, &mut rng)?.features.select(0, 3)?, [0.0, 0.5].into());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source**: scikit-learn's `make_moons`, unshuffled.
///
/// # Errors
/// If a class has no sample, or the noise is not a finite number of at least 0.
pub fn two_moons(counts: [usize; 2], noise: f64, rng: &mut impl Rng) -> Result<Classification> {
    let moon = |class: usize, i: usize| {
        let (sin, cos) = libm::sincos(PI * fraction(i, counts[class]));
        if class == 0 { [cos, sin] } else { [1.0 - cos, 0.5 - sin] }
    };
    points("two_moons", &counts, noise, moon, rng)
}

/// A circle within a circle about the same centre.
///
/// Class 0 stands on the unit circle, class 1 on that of radius `factor`. The points of a class stand at equal angles from
/// the first axis on; then each coordinate gets a normal error of the deviation `noise`. The square of the distance from the
/// centre is the one feature that separates them.
///
/// **Shapes**: `counts` samples of each class; features `[n₀ + n₁, 2]`. **Units**: noise in those of the outer radius, 1.
///
/// ```
/// use gradus_datasets::circles;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let data = circles([4, 1], 0.5, 0.0, &mut ChaCha8Rng::seed_from_u64(7))?;
/// let expected = [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0], [0.5, 0.0]].into();
/// assert!(data.features.all_close(&expected, 0.0, 1e-15)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source**: scikit-learn's `make_circles`, unshuffled.
///
/// # Errors
/// If a class has no sample, the factor is not between 0 and 1, or the noise is not a finite number of at least 0.
pub fn circles(counts: [usize; 2], factor: f64, noise: f64, rng: &mut impl Rng) -> Result<Classification> {
    const OP: &str = "circles";
    if !(factor > 0.0 && factor < 1.0) {
        return Err(refused(OP, "factor", factor, "strictly between 0 and 1"));
    }
    let circle = |class: usize, i: usize| {
        let (sin, cos) = libm::sincos(TAU * i as f64 / counts[class] as f64);
        let radius = if class == 0 { 1.0 } else { factor };
        [radius * cos, radius * sin]
    };
    points(OP, &counts, noise, circle, rng)
}

/// Interleaved spirals, one a class, from near the centre to the unit circle.
///
/// Of K classes with n samples each, sample i of class k stands at the radius r = (i + 1)/n and the angle
/// 2π(k/K + `turns`·r); then each coordinate gets a normal error of the deviation `noise`. Neighbouring arms are 1/(K·turns)
/// apart along a ray.
///
/// **Shapes**: `counts[k]` samples of class k; features `[Σ counts, 2]`. **Units**: noise in those of the outer radius, 1;
/// turns in full ones, negative for clockwise.
///
/// ```
/// use gradus_datasets::spiral;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let data = spiral(&[2, 1], 0.5, 0.0, &mut ChaCha8Rng::seed_from_u64(7))?;
/// // Half a turn: the first arm passes a quarter at radius ½, the second arm is turned by a half.
/// let expected = [[0.0, 0.5], [-1.0, 0.0], [1.0, 0.0]].into();
/// assert!(data.features.all_close(&expected, 0.0, 1e-15)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source**: the two-spirals problem of K. J. Lang, M. J. Witbrock, Learning to tell two spirals apart, 1988, for K arms.
///
/// # Errors
/// If there is no class or one without a sample, the turns are not finite, or the noise is not a finite number of at least 0.
pub fn spiral(counts: &[usize], turns: f64, noise: f64, rng: &mut impl Rng) -> Result<Classification> {
    const OP: &str = "spiral";
    if !turns.is_finite() {
        return Err(refused(OP, "turns", turns, "a finite number"));
    }
    let arm = |class: usize, i: usize| {
        let radius = (i + 1) as f64 / counts[class] as f64;
        let (sin, cos) = libm::sincos(TAU * (class as f64 / counts.len() as f64 + turns * radius));
        [radius * cos, radius * sin]
    };
    points(OP, counts, noise, arm, rng)
}

/// Round clouds, one a class, about given centres.
///
/// Each coordinate of a sample of class k is normally distributed about that of `centres[k]`, with the deviation `noise`.
/// Two clouds overlap by Φ(−d/(2·noise)) of each, where d is the distance of their centres: the error of the best classifier.
///
/// **Shapes**: K centres in the plane, `counts[k]` samples of class k; features `[Σ counts, 2]`. **Units**: noise in those of the
/// centres.
///
/// ```
/// use gradus_datasets::blobs;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let mut rng = ChaCha8Rng::seed_from_u64(7);
/// let data = blobs(&[[-2.0, 0.0], [2.0, 0.0]], &[50, 50], 0.3, &mut rng)?;
/// assert!(data.features.select(1, 0)?.as_slice()[..50].iter().all(|&x| x < 0.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source**: scikit-learn's `make_blobs`, unshuffled, the centres given.
///
/// # Errors
/// If there is no class or one without a sample, not a count for each centre, a centre that is not finite, or the noise is
/// not a finite number of at least 0.
pub fn blobs(
    centres: &[[f64; 2]],
    counts: &[usize],
    noise: f64,
    rng: &mut impl Rng,
) -> Result<Classification> {
    const OP: &str = "blobs";
    if counts.len() != centres.len() {
        let allowed = format!("one for each of {} centres", centres.len());
        return Err(refused(OP, "counts", format!("{} of them", counts.len()), &allowed));
    }
    if let Some([x, y]) = centres.iter().find(|c| !c.iter().all(|v| v.is_finite())) {
        return Err(refused(OP, "centre", format!("({x}, {y})"), "finite coordinates"));
    }
    points(OP, counts, noise, |class, _| centres[class], rng)
}

/// i of n points at equal steps from 0 to 1, both ends included; 0 if there is only one.
fn fraction(i: usize, n: usize) -> f64 {
    if n > 1 { i as f64 / (n - 1) as f64 } else { 0.0 }
}

/// Class by class the points of `place`, each with its two errors, drawn in this order.
fn points(
    op: &'static str,
    counts: &[usize],
    noise: f64,
    place: impl Fn(usize, usize) -> [f64; 2],
    rng: &mut impl Rng,
) -> Result<Classification> {
    if !(noise >= 0.0 && noise.is_finite()) {
        return Err(refused(op, "noise", noise, "finite and at least 0"));
    }
    if counts.is_empty() || counts.contains(&0) {
        return Err(refused(
            op,
            "counts",
            format!("{counts:?}"),
            "at least one class, of at least one sample",
        ));
    }
    let (mut features, mut classes) = (Vec::new(), Vec::new());
    for (class, &count) in counts.iter().enumerate() {
        for i in 0..count {
            for coordinate in place(class, i) {
                let error: f64 = StandardNormal.sample(rng);
                features.push(coordinate + noise * error);
            }
            classes.push(class as u32);
        }
    }
    let features = Tensor::from_vec(features, [classes.len(), 2])?;
    let names = (0..counts.len()).map(|class| format!("class_{class}")).collect();
    Ok(Classification::new(features, &["x", "y"], classes.into(), names)?
        .with_source(format!("computed by gradus_datasets::{op}"), "MIT OR Apache-2.0"))
}

fn refused(op: &'static str, name: &'static str, value: impl ToString, allowed: &str) -> Error {
    Error::Argument { op, name, value: value.to_string(), allowed: allowed.to_string() }
}
