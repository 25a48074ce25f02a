//! The ladder of the chapter "How fast can it be": one product of matrices, from the three loops of its definition up to the
//! kernel of the tensor crate. All rungs compute the same sums. What changes is the order in which memory is visited, and how
//! much of the work one instruction does.

use gradus_tensor::kernel::{View, product, vectorize};
use gradus_tensor::{Error, Result, Transpose};

/// A way to multiply matrices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rung {
    /// The definition: for each element the sum of its terms.
    Definition,
    /// Rows of B are read from left to right, and added to a row of the result.
    Rows,
    /// The same with the machine's best instructions, a term in one rounding.
    Fused,
    /// The same on a few rows of B at a time, which stay in the cache.
    Blocks,
    /// A tile of the result stays in registers.
    Tile,
    /// The kernel of the tensor crate, which also copies its operands into the order in which they are read.
    Packed,
}

/// The rows and columns of A, then the columns of B.
pub type Sizes = [usize; 3];

impl Rung {
    /// All of them, from the bottom.
    pub const ALL: [Self; 6] =
        [Self::Definition, Self::Rows, Self::Fused, Self::Blocks, Self::Tile, Self::Packed];

    /// What the chapter calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Definition => "the definition, i-j-k",
            Self::Rows => "rows streamed, i-k-j",
            Self::Fused => "wide fused instructions",
            Self::Blocks => "blocks for the cache",
            Self::Tile => "a tile in registers",
            Self::Packed => "packed kernel",
        }
    }

    /// `out = a · b`, all of them row by row.
    ///
    /// # Errors
    /// If a slice has not as many elements as the sizes say.
    pub fn multiply(self, out: &mut [f32], a: &[f32], b: &[f32], sizes: Sizes) -> Result<()> {
        let [m, k, n] = sizes;
        for (name, len, rows, cols) in [("a", a.len(), m, k), ("b", b.len(), k, n), ("out", out.len(), m, n)]
        {
            if Some(len) != rows.checked_mul(cols) {
                let (value, allowed) = (format!("{len} elements"), format!("{rows}·{cols} elements"));
                return Err(Error::Argument { op: "multiply", name, value, allowed });
            }
        }
        match self {
            Self::Definition => definition(out, a, b, sizes),
            Self::Rows => rows(out, a, b, sizes),
            Self::Fused => fused(out, a, b, sizes),
            Self::Blocks => blocks(out, a, b, sizes),
            Self::Tile => tiles(out, a, b, sizes),
            Self::Packed => {
                let (a, b) = (View::new(a, m, k, Transpose::No)?, View::new(b, k, n, Transpose::No)?);
                product(out, a, b, None)?;
            }
        }
        Ok(())
    }
}

fn definition(out: &mut [f32], a: &[f32], b: &[f32], [m, k, n]: Sizes) {
    for i in 0..m {
        for j in 0..n {
            let mut sum = 0.0;
            for p in 0..k {
                sum += a[i * k + p] * b[p * n + j];
            }
            out[i * n + j] = sum;
        }
    }
}

fn rows(out: &mut [f32], a: &[f32], b: &[f32], [m, k, n]: Sizes) {
    out.fill(0.0);
    for i in 0..m {
        let sums = &mut out[i * n..][..n];
        for p in 0..k {
            let x = a[i * k + p];
            for (sum, &y) in sums.iter_mut().zip(&b[p * n..][..n]) {
                *sum += x * y;
            }
        }
    }
}

fn fused(out: &mut [f32], a: &[f32], b: &[f32], [m, k, n]: Sizes) {
    out.fill(0.0);
    vectorize(
        #[inline(always)]
        || {
            for i in 0..m {
                let sums = &mut out[i * n..][..n];
                for p in 0..k {
                    let x = a[i * k + p];
                    for (sum, &y) in sums.iter_mut().zip(&b[p * n..][..n]) {
                        *sum = x.mul_add(y, *sum);
                    }
                }
            }
        },
    );
}

/// The rows of a block of B: 96 KiB of them where a row has 768 elements, which the second cache holds.
const DEEP: usize = 32;

fn blocks(out: &mut [f32], a: &[f32], b: &[f32], [m, k, n]: Sizes) {
    out.fill(0.0);
    for q in (0..k).step_by(DEEP) {
        vectorize(
            #[inline(always)]
            || {
                for i in 0..m {
                    let sums = &mut out[i * n..][..n];
                    for p in q..k.min(q + DEEP) {
                        let x = a[i * k + p];
                        for (sum, &y) in sums.iter_mut().zip(&b[p * n..][..n]) {
                            *sum = x.mul_add(y, *sum);
                        }
                    }
                }
            },
        );
    }
}

/// The height and width of a tile: as many sums as the registers hold, and room for the operands.
const HIGH: usize = 6;
const LANES: usize = 16;
/// How many terms are added to a tile before the next.
const LONG: usize = 256;

fn tiles(out: &mut [f32], a: &[f32], b: &[f32], [m, k, n]: Sizes) {
    out.fill(0.0);
    for q in (0..k).step_by(LONG) {
        let deep = LONG.min(k - q);
        vectorize(
            #[inline(always)]
            || {
                for j in (0..n).step_by(LANES) {
                    let mut i = 0;
                    while i < m {
                        let (out, a, b) = (&mut out[i * n + j..], &a[i * k + q..], &b[q * n + j..]);
                        if n - j < LANES {
                            edge(out, a, b, [deep, k, n], n - j);
                            i += 1;
                        } else if m - i < HIGH {
                            tile::<1>(out, a, b, [deep, k, n]);
                            i += 1;
                        } else {
                            tile::<HIGH>(out, a, b, [deep, k, n]);
                            i += HIGH;
                        }
                    }
                }
            },
        );
    }
}

/// Adds `deep` terms to the sums of R rows and as many columns as there are lanes.
#[inline(always)]
fn tile<const R: usize>(out: &mut [f32], a: &[f32], b: &[f32], [deep, k, n]: Sizes) {
    let mut sums = [[0.0; LANES]; R];
    let mut rows = [a; R];
    for r in 0..R {
        sums[r].copy_from_slice(&out[r * n..][..LANES]);
        rows[r] = &a[r * k..][..deep];
    }
    for p in 0..deep {
        let y = &b[p * n..][..LANES];
        for r in 0..R {
            let x = rows[r][p];
            for j in 0..LANES {
                sums[r][j] = x.mul_add(y[j], sums[r][j]);
            }
        }
    }
    for r in 0..R {
        out[r * n..][..LANES].copy_from_slice(&sums[r]);
    }
}

/// The same for the few columns of one row that make no tile.
#[inline(always)]
fn edge(out: &mut [f32], a: &[f32], b: &[f32], [deep, _, n]: Sizes, wide: usize) {
    for p in 0..deep {
        for (sum, &y) in out[..wide].iter_mut().zip(&b[p * n..][..wide]) {
            *sum = a[p].mul_add(y, *sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradus_tensor::with_threads;
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

    fn drawn(random: &mut ChaCha8Rng, len: usize) -> Vec<f32> {
        (0..len).map(|_| random.random_range(-1.0..1.0)).collect()
    }

    /// The exact result, or nearly, and the sum of the terms' magnitudes.
    fn exact(a: &[f32], b: &[f32], [m, k, n]: Sizes) -> Vec<(f64, f64)> {
        let term = |i: usize, j: usize, p: usize| f64::from(a[i * k + p]) * f64::from(b[p * n + j]);
        let element = |at: usize| {
            let (i, j) = (at / n, at % n);
            (0..k).map(|p| term(i, j, p)).fold((0.0, 0.0), |(sum, all), t| (sum + t, all + t.abs()))
        };
        (0..m * n).map(element).collect()
    }

    /// Multiplies into a result that holds something else before.
    fn by(rung: Rung, a: &[f32], b: &[f32], sizes: Sizes) -> Vec<u32> {
        let mut out = vec![f32::NAN; sizes[0] * sizes[2]];
        rung.multiply(&mut out, a, b, sizes).unwrap();
        out.into_iter().map(f32::to_bits).collect()
    }

    #[test]
    fn every_rung_is_the_definition() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let fixed = [
            [1, 1, 1],
            [6, 128, 16],
            [7, 129, 17],
            [5, 300, 15],
            [13, 1, 33],
            [13, 300, 40],
            [64, 64, 64],
            [3, 257, 513],
        ];
        let sizes: Vec<Sizes> = fixed
            .into_iter()
            .chain((0..60).map(|_| [1, 1, 1].map(|_: usize| random.random_range(1..70))))
            .collect();
        for sizes in sizes {
            let [m, k, n] = sizes;
            let (a, b) = (drawn(&mut random, m * k), drawn(&mut random, k * n));
            let exact = exact(&a, &b, sizes);
            for rung in Rung::ALL {
                for (bits, (sum, all)) in by(rung, &a, &b, sizes).into_iter().zip(&exact) {
                    let error = (f64::from(f32::from_bits(bits)) - sum).abs();
                    // k roundings of at most the sum of the magnitudes each.
                    assert!(error <= k as f64 * all * 6e-8, "{rung:?} {sizes:?}: {error:e}");
                }
            }
            // Another order of the loops is not another order of the terms.
            let plain = by(Rung::Definition, &a, &b, sizes);
            assert_eq!(plain, by(Rung::Rows, &a, &b, sizes), "{sizes:?}");
            let fused = by(Rung::Fused, &a, &b, sizes);
            assert_eq!(fused, by(Rung::Blocks, &a, &b, sizes), "{sizes:?}");
            assert_eq!(fused, by(Rung::Tile, &a, &b, sizes), "{sizes:?}");
        }
    }

    #[test]
    fn without_terms_a_sum_is_zero_and_without_elements_nothing_happens() {
        for rung in Rung::ALL {
            assert_eq!(by(rung, &[], &[], [3, 0, 20]), [0; 60], "{rung:?}");
            for sizes in [[0, 4, 5], [5, 4, 0], [0, 0, 0]] {
                let (a, b) = (vec![1.0; sizes[0] * sizes[1]], vec![1.0; sizes[1] * sizes[2]]);
                assert!(by(rung, &a, &b, sizes).is_empty(), "{rung:?}");
            }
        }
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let sizes = [301, 203, 257];
        let (a, b) = (drawn(&mut random, 301 * 203), drawn(&mut random, 203 * 257));
        let one = with_threads(1, || by(Rung::Packed, &a, &b, sizes));
        for threads in [2, 3] {
            assert_eq!(one, with_threads(threads, || by(Rung::Packed, &a, &b, sizes)));
        }
    }

    #[test]
    fn sizes_that_do_not_fit_are_an_error_that_names_them() {
        let (a, mut out) = ([0.0; 6], [0.0; 4]);
        for rung in Rung::ALL {
            assert!(rung.multiply(&mut out, &a, &a, [2, 3, 2]).is_ok());
            let error = rung.multiply(&mut out, &a, &a, [2, 3, 3]).unwrap_err().to_string();
            assert_eq!(error, "multiply: b = 6 elements, allowed: 3·3 elements");
            assert!(rung.multiply(&mut out, &a, &a, [usize::MAX, 3, 3]).is_err());
        }
    }
}
