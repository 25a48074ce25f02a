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

/// Work that is to be compiled for each level.
///
/// A closure without arguments is one. The compiler decides by size whether a closure becomes part of each level's code; if
/// not, it runs as compiled for the baseline, and slowly. A type of one's own whose `run` says `#[inline(always)]` does
/// not depend on that.
pub trait Kernel {
    /// What comes of it.
    type Output;

    /// Does the work. Mark it `#[inline(always)]`.
    fn run(self) -> Self::Output;
}

impl<R, F: FnOnce() -> R> Kernel for F {
    type Output = R;

    #[inline(always)]
    fn run(self) -> R {
        self()
    }
}

/// Runs a closure, or another [`Kernel`], as compiled for the best instruction set of this machine.
///
/// **Numerics**: the result has the same bits at every level: sums, products, quotients, roots and fused products are
/// rounded as IEEE 754 says on all of them, and the compiler does not reorder them.
///
/// ```
/// use gradus_tensor::math;
/// let (x, mut y) = ([0.0f32, 1.0, 2.0], [0.0; 3]);
/// math::vectorize(|| y.iter_mut().zip(&x).for_each(|(y, &x)| *y = math::exp(-x)));
/// assert_eq!(y[1], math::exp(-1.0));
/// ```
#[inline]
pub fn vectorize<K: Kernel>(work: K) -> K::Output {
    vectorize_at(Level::best(), work)
}

/// Runs the work as compiled for `level`, or for the baseline if this machine cannot run that: for tests and measurements.
#[inline]
pub fn vectorize_at<K: Kernel>(level: Level, work: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    match level {
        // SAFETY: the features that the function is compiled for have just been found on this machine.
        Level::Avx512 if level.available() => return unsafe { avx512(work) },
        // SAFETY: as above.
        Level::Avx2 if level.available() => return unsafe { avx2(work) },
        _ => {}
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = level;
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
fn avx512<K: Kernel>(work: K) -> K::Output {
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2<K: Kernel>(work: K) -> K::Output {
    work.run()
}

/// How many elements [`map_into`] takes at once.
const BLOCK: usize = 512;

/// Fills `out` with `f` of the elements of `x`, as far as both go.
pub(super) struct Map<'a, T, U, F> {
    pub(super) x: &'a [T],
    pub(super) out: &'a mut [U],
    pub(super) f: F,
}

impl<T: Copy, U, F: Fn(T) -> U> Kernel for Map<'_, T, U, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        // In blocks: the compiler makes a larger function part of a loop within a loop than of a single loop.
        for (x, out) in self.x.chunks(BLOCK).zip(self.out.chunks_mut(BLOCK)) {
            for (out, &x) in out.iter_mut().zip(x) {
                *out = (self.f)(x);
            }
        }
    }
}

/// Fills `out` with `f` of the elements of `x`, as far as both go, by the best instruction set of this machine.
///
/// ```
/// use gradus_tensor::math;
/// let mut gelu = [0.0; 3];
/// math::map_into(&[-1.0f64, 0.0, 1.0], &mut gelu, |x| x * math::normal_cdf(x));
/// assert_eq!(gelu[1], 0.0);
/// assert!((gelu[2] - 0.841_344_746_068_543).abs() < 1e-15);
/// ```
#[inline]
pub fn map_into<T: Copy, U>(x: &[T], out: &mut [U], f: impl Fn(T) -> U) {
    vectorize(Map { x, out, f });
}

/// [`map_into`] at a level, as [`vectorize_at`].
#[inline]
pub fn map_into_at<T: Copy, U>(level: Level, x: &[T], out: &mut [U], f: impl Fn(T) -> U) {
    vectorize_at(level, Map { x, out, f });
}
