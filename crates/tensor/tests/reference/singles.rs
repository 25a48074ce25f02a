//! A function at the numbers of single precision, all 2³² if asked, held against itself in double precision.
//!
//! Why the double may be the judge: an ulp of a double is 2·10⁻⁹ of a single's, so a double that is off by even a thousand of its own
//! tells the single's error to five digits. And it is not trusted blindly: of every block one number is held against the
//! reference in double-double arithmetic, which goes by other formulas. A mistake that both precisions share for a stretch of
//! numbers shows there; they share neither polynomials nor constants, so that a slip in one number of one table shows at once.

use super::{Scaled, reference, ulps};
use gradus_tensor::kernel::{map_blocks, vectorize};
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many numbers are computed together: they and their results fit the second cache.
const BLOCK: usize = 1 << 14;

/// A largest error, in ulp, and where it is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Worst<T> {
    pub(crate) far: f64,
    pub(crate) at: T,
}

impl<T> Worst<T> {
    /// The larger of two; a NaN is larger than any.
    fn or(self, other: Self) -> Self {
        if other.far > self.far || other.far.is_nan() { other } else { self }
    }
}

/// The largest errors of a function at every `step`th number of single precision: of the single, judged by the double, and of
/// the double, judged by the reference at one number of each block. `done` hears what part is done.
pub(crate) fn worst(
    name: &str,
    single: impl Fn(&[f32], &mut [f32]) + Sync,
    double: impl Fn(&[f64], &mut [f64]) + Sync,
    step: usize,
    done: impl Fn(f64) + Sync,
) -> (Worst<f32>, Worst<f64>) {
    let count = (1 << 32) / step;
    let blocks = count.div_ceil(BLOCK);
    let finished = AtomicUsize::new(0);
    let found = map_blocks(blocks, |block| {
        let len = BLOCK.min(count - block * BLOCK);
        let x: Vec<f32> = (0..len).map(|i| f32::from_bits(((block * BLOCK + i) * step) as u32)).collect();
        let wide: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
        let (mut got, mut want, mut far) = (vec![0.0; len], vec![0.0; len], vec![0.0; len]);
        single(&x, &mut got);
        double(&wide, &mut want);
        vectorize(
            #[inline(always)]
            || far.iter_mut().zip(&got).zip(&want).for_each(|((far, &got), &want)| *far = error(got, want)),
        );
        let errors = far.iter().zip(&x).map(|(&far, &at)| Worst { far, at });
        // Another place in each block, so that no pattern of the fractions is left out.
        let i = block * 7919 % len;
        let judged = judge(name, wide[i], want[i]);
        done((finished.fetch_add(1, Ordering::Relaxed) + 1) as f64 / blocks as f64);
        (errors.fold(Worst::default(), Worst::or), Worst { far: judged, at: wide[i] })
    });
    found.into_iter().fold(Default::default(), |(a, b), (c, d)| (a.or(c), b.or(d)))
}

/// The error of a single, in ulp: infinite if one side alone is NaN or ∞, or if the signs differ.
#[inline(always)]
pub(crate) fn error(got: f32, want: f64) -> f64 {
    let rounded = want as f32;
    let exponent = (want.abs().to_bits() >> 52).max(1023 - 126);
    let far = (f64::from(got) - want).abs() * f64::from_bits((1023 + 23 + 1023 - exponent) << 52);
    let same = (got == rounded) | (got.is_nan() & rounded.is_nan());
    let finite = (got.abs() < f32::INFINITY) & (rounded.abs() < f32::INFINITY);
    let sign = got.is_sign_negative() == want.is_sign_negative();
    match (finite, sign | got.is_nan()) {
        (true, true) => far,
        (false, true) if same => 0.0,
        _ => f64::INFINITY,
    }
}

/// The error of a double where the reference reaches.
fn judge(name: &str, x: f64, got: f64) -> f64 {
    let reach = match name {
        "sin" | "cos" => x.abs() <= f64::from(1 << 30),
        "ln" => x > 0.0,
        "ln_1p" => x > -1.0,
        "normal_cdf" | "gelu" => (-37.0..=30.0).contains(&x),
        "erfc" => (-30.0..=26.0).contains(&x),
        "softplus" => x.abs() <= 700.0,
        _ => x > -700.0,
    };
    // A result that is 0 or infinite, or that the smallest numbers make up, says nothing of a single's.
    if !reach || !x.is_finite() || !got.is_finite() || got.abs() < 1e-290 {
        return 0.0;
    }
    let want: Scaled = reference(name, x);
    ulps(got, want, 53, -1074)
}
