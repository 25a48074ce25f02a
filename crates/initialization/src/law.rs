//! The laws that single weights are drawn from: constant, uniform, normal, truncated normal.

use crate::TruncatedNormal;
use crate::stream::{Sample, Stream};
use crate::symbols::{VARIANCE, WEIGHT};
use gradus_formula::{Formula, Kind, Printed, Symbol, Verdict, item};
use gradus_tensor::{Error, Result, Scalar, Tensor};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

pub(crate) const FORMULA: Formula = Formula {
    id: "xavier-gaussian",
    kind: Kind::Formula,
    verdict: Verdict::Wrong,
    title: "Normal weights of a given variance",
    latex: r"w \sim \mathcal N\bigl(0, \operatorname{Var}(w)\bigr), \qquad \sigma = \sqrt{\operatorname{Var}(w)}",
    unicode: "w ~ N(0, Var(w)), σ = √Var(w)",
    symbols: &[
        WEIGHT,
        VARIANCE,
        Symbol {
            latex: r"\sigma",
            code: "std",
            meaning: "the standard deviation of each weight",
            shape: "[]",
            unit: "1",
        },
    ],
    source: "Glorot & Bengio 2010, §4.2.1",
    item: item!(struct Normal),
    chapter: "initialization",
    printed: Some(Printed {
        latex: r"\text{Gaussian with 0 mean, with standard deviation: } \operatorname{Var}(s) = \cdots, \quad \operatorname{Var}(w) = \frac{1}{n}",
        reason: "A variance is called a standard deviation, of which it is the square.",
        counterexample: "n = 512: with σ = 1/n the variance is 1/512², and each layer divides the signal's variance by 512.",
    }),
};

pub(crate) const FORMULA_UNIFORM: Formula = Formula {
    id: "init-uniform",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Uniform weights of a given variance",
    latex: r"w \sim \mathcal U[-b, b], \qquad b = \sqrt{3 \operatorname{Var}(w)}",
    unicode: "w ~ U[−b, b], b = √(3·Var(w))",
    symbols: &[
        WEIGHT,
        VARIANCE,
        Symbol { latex: "b", code: "bound", meaning: "the largest weight", shape: "[]", unit: "1" },
    ],
    source: "Glorot & Bengio 2010, eq. 1 and 16",
    item: item!(struct Uniform),
    ..FORMULA
};

/// Normal numbers with a mean and a standard deviation, as a distribution.
///
/// **Formula** `xavier-gaussian`: N(mean, std²); [`of_variance`](Self::of_variance) takes the variance, whose root std is.
///
/// **Shapes**: a number a draw. **Units**: those of the mean.
///
/// **Numerics**: a stream's draw is mean + std·z, rounded once; a generator's is `rand_distr`'s.
///
/// **Errors**: a mean or a deviation that is not finite, a deviation below 0.
///
/// **Source**: Glorot & Bengio 2010, §4.2.1.
///
/// ```
/// use gradus_initialization::Normal;
/// assert_eq!(Normal::of_variance(0.25)?, Normal::new(0.0, 0.5)?);
/// assert!(Normal::new(0.0, -1.0).is_err());
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normal {
    mean: f64,
    std: f64,
}

impl Normal {
    /// Of this mean and standard deviation.
    ///
    /// # Errors
    /// If one is not finite, or the deviation below 0.
    pub fn new(mean: f64, std: f64) -> Result<Self> {
        let op = "Normal::new";
        Ok(Self { mean: finite(op, "mean", mean)?, std: not_negative(op, "std", std)? })
    }

    /// Of mean 0 and this variance.
    ///
    /// # Errors
    /// If it is not finite, or below 0.
    pub fn of_variance(variance: f64) -> Result<Self> {
        Ok(Self { mean: 0.0, std: not_negative("Normal::of_variance", "variance", variance)?.sqrt() })
    }
}

impl<T: Scalar> Distribution<T> for Normal {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> T {
        let z: f64 = StandardNormal.sample(rng);
        T::of(self.std.mul_add(z, self.mean))
    }
}

/// Uniform numbers between two bounds, as a distribution.
///
/// **Formula** `init-uniform`: U[low, high], of variance (high − low)²/12; [`of_variance`](Self::of_variance) has b = √(3·Var).
///
/// **Shapes**: a number a draw. **Units**: those of the bounds.
///
/// **Numerics**: low + (high − low)·u with one rounding and u on (0, 1], of 24 bits in single precision and 53 in double; never beyond a bound.
///
/// **Errors**: bounds that are not finite, reversed, or farther apart than the largest number.
///
/// **Source**: Glorot & Bengio 2010, eq. 1 and 16.
///
/// ```
/// use gradus_initialization::{Fans, Uniform, glorot_variance};
/// // √(6/(n_in + n_out)), as their paper has it.
/// assert_eq!(Uniform::of_variance(glorot_variance(Fans::dense(20, 4)))?, Uniform::new(-0.5, 0.5)?);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Uniform {
    low: f64,
    high: f64,
}

impl Uniform {
    /// Between these bounds.
    ///
    /// # Errors
    /// If one is not finite, or `low` above `high`, or their distance beyond the largest number.
    pub fn new(low: f64, high: f64) -> Result<Self> {
        let op = "Uniform::new";
        finite(op, "low", low)?;
        finite(op, "high", high)?;
        if low > high {
            return Err(argument(op, "low", low, format!("up to high = {high}")));
        }
        finite(op, "high - low", high - low)?;
        Ok(Self { low, high })
    }

    /// Symmetric about 0, of this variance.
    ///
    /// # Errors
    /// If it is not finite, or below 0.
    pub fn of_variance(variance: f64) -> Result<Self> {
        let bound = (3.0 * not_negative("Uniform::of_variance", "variance", variance)?).sqrt();
        Self::new(-bound, bound)
    }
}

impl<T: Scalar> Distribution<T> for Uniform {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> T {
        let u = ((rng.next_u64() >> 11) + 1) as f64 * (0.5 * f64::EPSILON);
        T::of((self.high - self.low).mul_add(u, self.low).min(self.high))
    }
}

/// The law of each weight, all drawn independently.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Law {
    /// Always this number.
    Constant(f64),
    /// Uniform.
    Uniform(Uniform),
    /// Normal.
    Normal(Normal),
    /// Normal within bounds.
    TruncatedNormal(TruncatedNormal),
}

impl Law {
    /// The mean.
    pub fn mean(self) -> f64 {
        match self {
            Law::Constant(c) => c,
            Law::Uniform(Uniform { low, high }) => low + 0.5 * (high - low),
            Law::Normal(Normal { mean, .. }) => mean,
            Law::TruncatedNormal(law) => law.mean(),
        }
    }

    /// The variance.
    ///
    /// ```
    /// use gradus_initialization::{Law, Uniform};
    /// // PyTorch's default for a dense layer, U[−1/√n, 1/√n], has a third of 1/n.
    /// let law = Law::Uniform(Uniform::new(-0.1, 0.1)?);
    /// assert!((law.variance() - 0.01 / 3.0).abs() < 1e-17);
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    pub fn variance(self) -> f64 {
        match self {
            Law::Constant(_) => 0.0,
            Law::Uniform(Uniform { low, high }) => (high - low).powi(2) / 12.0,
            Law::Normal(Normal { std, .. }) => std * std,
            Law::TruncatedNormal(law) => law.variance(),
        }
    }

    /// A tensor of independent draws, of which number i is number i of the stream: in parallel, and with the same bits for any number of threads.
    ///
    /// # Errors
    /// If the shape is no shape, or a number of this law is beyond the largest of T.
    pub fn tensor<T: Scalar>(self, shape: impl AsRef<[usize]>, stream: Stream) -> Result<Tensor<T>> {
        self.representable::<T>()?;
        stream.tensor(shape, move |out| self.fill(stream, out), move |out| self.fill(stream, out))
    }

    /// Fills a slice with the first numbers that the stream has of this law; numbers beyond the largest of T become ∞.
    pub fn fill<T: Sample>(self, stream: Stream, out: &mut [T]) {
        match self {
            Law::Constant(c) => out.fill(T::of(c)),
            Law::Uniform(Uniform { low, high }) => {
                let (low, high) = (T::of(low), T::of(high));
                let width = high - low;
                stream.fill(
                    out,
                    #[inline(always)]
                    |source, tile, out| T::uniforms(source, tile, out),
                    #[inline(always)]
                    |u| Scalar::mul_add(width, u, low).min_or_nan(high),
                );
            }
            Law::Normal(Normal { mean, std }) if mean == 0.0 && std == 1.0 => stream.fill_normal(out),
            Law::Normal(Normal { mean, std }) => {
                let (mean, std) = (T::of(mean), T::of(std));
                stream.fill(
                    out,
                    #[inline(always)]
                    |source, tile, out| T::normals(source, tile, out),
                    #[inline(always)]
                    |z| Scalar::mul_add(std, z, mean),
                );
            }
            Law::TruncatedNormal(law) => stream.fill(
                out,
                #[inline(always)]
                |source, tile, out| T::uniforms(source, tile, out),
                #[inline(always)]
                |u| T::of(law.quantile(u.as_f64())),
            ),
        }
    }

    /// Whether the numbers that describe this law are numbers of T.
    fn representable<T: Scalar>(self) -> Result<()> {
        let check = |name: &'static str, x: f64| {
            if T::of(x).is_finite() {
                return Ok(());
            }
            Err(argument("initialization", name, x, format!("up to the largest number of {:?}", T::DTYPE)))
        };
        match self {
            Law::Constant(c) => check("constant", c),
            Law::Uniform(Uniform { low, high }) => {
                check("low", low)?;
                check("high", high)?;
                check("high - low", high - low)
            }
            // Within ten deviations lie all the draws that ever come.
            Law::Normal(Normal { mean, std }) => check("mean + 10 std", mean.abs() + 10.0 * std),
            Law::TruncatedNormal(law) => {
                let (low, high) = law.reach();
                check("low", low)?;
                check("high", high)
            }
        }
    }
}

impl<T: Scalar> Distribution<T> for Law {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> T {
        match self {
            Law::Constant(c) => T::of(*c),
            Law::Uniform(law) => law.sample(rng),
            Law::Normal(law) => law.sample(rng),
            Law::TruncatedNormal(law) => law.sample(rng),
        }
    }
}

pub(crate) fn argument(op: &'static str, name: &'static str, value: f64, allowed: String) -> Error {
    Error::Argument { op, name, value: value.to_string(), allowed }
}

pub(crate) fn finite(op: &'static str, name: &'static str, x: f64) -> Result<f64> {
    if x.is_finite() { Ok(x) } else { Err(argument(op, name, x, "finite".into())) }
}

pub(crate) fn not_negative(op: &'static str, name: &'static str, x: f64) -> Result<f64> {
    if x.is_finite() && x >= 0.0 { Ok(x) } else { Err(argument(op, name, x, "finite, 0 or above".into())) }
}
