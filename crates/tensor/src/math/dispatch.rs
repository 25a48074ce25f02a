//! Runs a closure as compiled for the best instruction set of the machine.
//!
//! The functions of this module are loops' bodies without branches; the compiler turns a loop over one into vector
//! instructions, of the widest kind that the enclosing function allows.

/// An instruction set, from the narrowest up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// What the program was compiled for.
    Baseline,
    /// 256 bits with fused multiplication and addition: x86-64-v3.
    Avx2,
    /// 512 bits: x86-64-v4.
    Avx512,
}

impl Level {
    /// All levels, the narrowest first.
    pub const ALL: [Level; 3] = [Level::Baseline, Level::Avx2, Level::Avx512];

    /// Whether this machine can run it.
    #[inline]
    pub fn available(self) -> bool {
        match self {
            Level::Baseline => true,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => {
                Level::Avx2.available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
            }
            #[cfg(not(target_arch = "x86_64"))]
            Level::Avx2 | Level::Avx512 => false,
        }
    }

    /// The widest that this machine can run.
    #[inline]
    pub fn best() -> Level {
        if Level::Avx512.available() {
            Level::Avx512
        } else if Level::Avx2.available() {
            Level::Avx2
        } else {
            Level::Baseline
        }
    }
}

/// Runs a closure as compiled for the best instruction set of this machine.
///
/// The compiler decides by size whether a closure becomes part of each level's code; if not, it runs as compiled for the
/// baseline, and slowly. `#[inline(always)]` before the closure, and before the functions that its loop calls, decides it.
///
/// **Numerics**: the result has the same bits at every level: sums, products, quotients, roots and fused products are
/// rounded as IEEE 754 says on all of them, and the compiler does not reorder them.
///
/// ```
/// use gradus_tensor::math;
/// let (x, mut y) = ([0.0f32, 1.0, 2.0], [0.0; 3]);
/// math::vectorize(
///     #[inline(always)]
///     || y.iter_mut().zip(&x).for_each(|(y, &x)| *y = math::exp(-x)),
/// );
/// assert_eq!(y[1], math::exp(-1.0));
/// ```
#[inline]
pub fn vectorize<R>(f: impl FnOnce() -> R) -> R {
    vectorize_at(Level::best(), f)
}

/// Runs the closure as compiled for `level`, or for the baseline if this machine cannot run that: for tests and measurements.
#[inline]
pub fn vectorize_at<R>(level: Level, f: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    match level {
        // SAFETY: the features that the function is compiled for have just been found on this machine.
        Level::Avx512 if level.available() => return unsafe { avx512(f) },
        // SAFETY: as above.
        Level::Avx2 if level.available() => return unsafe { avx2(f) },
        _ => {}
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = level;
    f()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
fn avx512<R>(f: impl FnOnce() -> R) -> R {
    f()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2<R>(f: impl FnOnce() -> R) -> R {
    f()
}

/// Fills `out` with `f` of the elements of `x`, as far as both go, by the best instruction set of this machine, on one core.
///
/// ```
/// use gradus_tensor::math;
/// let mut gelu = [0.0; 3];
/// math::map_into(
///     &[-1.0f64, 0.0, 1.0],
///     &mut gelu,
///     #[inline(always)]
///     |x| x * math::normal_cdf(x),
/// );
/// assert_eq!(gelu[1], 0.0);
/// assert!((gelu[2] - 0.841_344_746_068_543).abs() < 1e-15);
/// ```
#[inline]
pub fn map_into<T: Copy, U>(x: &[T], out: &mut [U], f: impl Fn(T) -> U) {
    map_into_at(Level::best(), x, out, f);
}

/// [`map_into`] at a level, as [`vectorize_at`].
#[inline]
pub fn map_into_at<T: Copy, U>(level: Level, x: &[T], out: &mut [U], f: impl Fn(T) -> U) {
    vectorize_at(
        level,
        #[inline(always)]
        || {
            for (out, &x) in out.iter_mut().zip(x) {
                *out = f(x);
            }
        },
    );
}
