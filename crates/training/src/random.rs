//! All that is random in a run follows from its seed and from where in the run it is: there is no state to save.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// What a stream is for: two purposes never share one.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    /// The order of an epoch.
    Order = 1,
    /// What layers draw in a step.
    Step = 2,
    /// Who belongs to which part.
    Split = 3,
}

/// The stream of (seed, purpose, epoch, step): ChaCha8 with these four as its key, each of 64 bits, little-endian.
pub(crate) fn stream(seed: u64, purpose: Purpose, epoch: u64, step: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    let words = [seed, purpose as u64, epoch, step];
    key.as_chunks_mut::<8>().0.iter_mut().zip(words).for_each(|(part, word)| *part = word.to_le_bytes());
    ChaCha8Rng::from_seed(key)
}

/// What the layers of a network may draw from in one step of one epoch: dropout masks, noise.
///
/// A run that is taken up at this step draws what an uninterrupted one draws, whatever came before.
///
/// ```
/// use gradus_training::step_rng;
/// use rand::Rng;
/// assert_eq!(step_rng(1, 2, 3).next_u64(), step_rng(1, 2, 3).next_u64());
/// assert_ne!(step_rng(1, 2, 3).next_u64(), step_rng(1, 3, 2).next_u64());
/// ```
pub fn step_rng(seed: u64, epoch: u64, step: u64) -> ChaCha8Rng {
    stream(seed, Purpose::Step, epoch, step)
}

/// A whole number below `bound`, each equally often: a product's upper half, drawn again where the lower half would favour some
/// (Lemire 2019). Written out, because `rand`'s draws may change with its version.
fn below(rng: &mut impl Rng, bound: u64) -> u64 {
    loop {
        let product = u128::from(rng.next_u64()) * u128::from(bound);
        // 2⁶⁴ mod bound of the lower halves are too many.
        if product as u64 >= bound.wrapping_neg() % bound {
            return (product >> 64) as u64;
        }
    }
}

/// Fisher and Yates's shuffle: every order is equally likely.
pub(crate) fn shuffle<T>(items: &mut [T], rng: &mut impl Rng) {
    for i in (1..items.len()).rev() {
        let j = below(rng, i as u64 + 1) as usize;
        items.swap(i, j);
    }
}

/// A number in 0 ≤ u < 1, a multiple of 2⁻⁵³.
pub(crate) fn fraction(rng: &mut impl Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// χ² of the 24 orders of four things in 24,000 shuffles: 23 degrees of freedom, of which 95.5 is exceeded once in 10⁹ times.
    #[test]
    fn every_order_is_equally_likely() {
        let mut counts = std::collections::BTreeMap::new();
        for epoch in 0..24_000 {
            let mut items = [0, 1, 2, 3];
            shuffle(&mut items, &mut stream(5, Purpose::Order, epoch, 0));
            *counts.entry(items).or_insert(0.0) += 1.0;
        }
        let chi: f64 = counts.values().map(|n: &f64| (n - 1000.0).powi(2) / 1000.0).sum();
        assert!(counts.len() == 24 && chi < 95.5, "{chi}");
    }

    #[test]
    fn a_bound_that_favours_some_draws_again() {
        // Of a bound of 2⁶³ + 1 almost half of the draws must be made again: the mean of what is left is half the bound.
        let (bound, mut rng) = ((1 << 63) + 1, stream(1, Purpose::Step, 0, 0));
        let draws: Vec<u64> = (0..10_000).map(|_| below(&mut rng, bound)).collect();
        let mean = draws.iter().map(|&d| d as f64 / bound as f64).sum::<f64>() / 10_000.0;
        assert!(
            draws.iter().all(|&d| d < bound) && (mean - 0.5).abs() < 6.2 * (1.0 / 120_000.0f64).sqrt(),
            "{mean}"
        );
    }
}
