//! What becomes of the scores of a tile, row by row.

use super::LANES;
use gradus_tensor::Scalar;
use gradus_tensor::kernel::row;
use gradus_tensor::math::exp_nonpositive;

/// eˢ⁻ᵐ in place of every score s, and their sum; m is at least every score.
#[inline(always)]
pub(super) fn exponentials<T: Scalar>(scores: &mut [T], m: T) -> T {
    let mut lanes = [T::ZERO; LANES];
    let (chunks, _) = scores.as_chunks_mut::<LANES>();
    for chunk in chunks {
        for (sum, s) in lanes.iter_mut().zip(chunk) {
            *s = exp_nonpositive(*s - m);
            *sum += *s;
        }
    }
    row::sum_by(&lanes, |sum| sum)
}

/// e to the power s − L in place of every score s, L the logarithm of all their sum.
#[inline(always)]
pub(super) fn weights<T: Scalar>(scores: &mut [T], log_sum: T) {
    for s in scores {
        let x = *s - log_sum;
        // Rounding may leave a little more than 0.
        *s = exp_nonpositive(if x > T::ZERO { T::ZERO } else { x });
    }
}
