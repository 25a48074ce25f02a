//! Local response normalisation: a channel is held down by what its neighbours say at the same pixel.

use crate::{expect, refused};
use gradus_autograd::Op;
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::kernel::{for_each_block, vectorize};
use gradus_tensor::{Error, Result, Scalar, Shape, Tensor};

pub(crate) const FORMULA: Formula = Formula {
    id: "local-response-norm",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Local response normalisation",
    latex: r"y_c = \frac{x_c}{s_c^{\,\beta}}, \qquad s_c = k + \alpha \sum_{j = c - \lfloor n/2 \rfloor}^{c + \lfloor n/2 \rfloor} x_j^2",
    unicode: "y_c = x_c/s_c^β, s_c = k + α·Σ x_j², j = c − ⌊n/2⌋ … c + ⌊n/2⌋, as far as there are channels",
    symbols: &[
        Symbol {
            latex: "x",
            code: "x",
            meaning: "maps; x_c is channel c at some pixel",
            shape: "[N, C, H, W]",
            unit: "any",
        },
        Symbol {
            latex: "n",
            code: "size",
            meaning: "how many channels are looked at, an odd number: 5",
            shape: "[]",
            unit: "channels",
        },
        Symbol {
            latex: "k",
            code: "k",
            meaning: "what is there where nothing is: 2",
            shape: "[]",
            unit: "1",
        },
        Symbol {
            latex: r"\alpha",
            code: "alpha",
            meaning: "the weight of the squares: 10⁻⁴",
            shape: "[]",
            unit: "1/unit of x²",
        },
        Symbol { latex: r"\beta", code: "beta", meaning: "the power: ¾", shape: "[]", unit: "1" },
    ],
    source: "Krizhevsky, Sutskever & Hinton 2012, §3.3",
    item: item!(struct LocalResponse),
    chapter: "alexnet",
    printed: None,
};

/// Local response normalisation as an operation on `[x]`.
///
/// **Formula** `local-response-norm`: y_c = x_c/s_c^β, s_c = k + α·Σ x_j² over the n channels around c, as far as there are so many.
///
/// **Shapes**: x `[N, C, H, W]`; the result has the same. **Units**: those of x, as k has none.
///
/// **Gradient**: dx_c = dy_c·s_c^(−β) − 2αβ·x_c·Σ dy_j·x_j·s_j^(−β−1), over the same channels: who holds me down is held down by me.
///
/// **Numerics**: s is at least k, so that nothing is divided by 0. s^(−¾) is taken with two roots, any other power with [`powf`](f64::powf). Squares overflow at 10¹⁹ in single
/// precision; y is 0 then.
///
/// **Errors**: an even size or 0; α below 0, k not above 0, or a number that is not finite; another rank.
///
/// **Source**: Krizhevsky, Sutskever & Hinton 2012, §3.3. PyTorch's `LocalResponseNorm` divides α by n: its 5·10⁻⁴ are the paper's 10⁻⁴.
///
/// ```
/// use gradus_architectures::LocalResponse;
/// use gradus_autograd::Op;
/// use gradus_tensor::Tensor;
/// let norm = LocalResponse { size: 3, alpha: 1.0, beta: 0.5, k: 7.0 };
/// // Three channels of one pixel: 7 + 1 + 1, 7 + 1 + 1 + 0, 7 + 1 + 0.
/// let y = norm.eval([&Tensor::from([1.0, 1.0, 0.0]).reshape([1, 3, 1, 1])?])?;
/// assert_eq!(y.as_slice(), [1.0 / 3.0, 1.0 / 3.0, 0.0]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LocalResponse {
    /// n, odd.
    pub size: usize,
    /// α, of the sum of squares, not of their mean.
    pub alpha: f64,
    /// β.
    pub beta: f64,
    /// k.
    pub k: f64,
}

impl LocalResponse {
    /// The paper's numbers: n = 5, α = 10⁻⁴, β = ¾, k = 2.
    #[must_use]
    pub const fn published() -> Self {
        Self { size: 5, alpha: 1e-4, beta: 0.75, k: 2.0 }
    }

    fn checked(&self, x: Shape) -> Result<[usize; 3]> {
        if self.size.is_multiple_of(2) {
            return Err(refused(OP, "size", self.size, "an odd number"));
        }
        let finite = |name, value: f64, fits: bool, allowed: &str| {
            if value.is_finite() && fits { Ok(()) } else { Err(refused(OP, name, value, allowed)) }
        };
        finite("alpha", self.alpha, self.alpha >= 0.0, "finite and at least 0")?;
        finite("beta", self.beta, true, "finite")?;
        finite("k", self.k, self.k > 0.0, "finite and above 0")?;
        match *x.dims() {
            [n, c, h, w] => Ok([n, c, h * w]),
            _ => Err(Error::Shape { op: OP, expected: "x of the shape [N, C, H, W]".into(), got: x }),
        }
    }

    /// The channels around a channel.
    fn around(&self, channel: usize, channels: usize) -> std::ops::Range<usize> {
        let half = self.size / 2;
        channel.saturating_sub(half)..channels.min(channel.saturating_add(half + 1))
    }

    /// s^(−β).
    #[inline(always)]
    fn power<T: Scalar>(&self, s: T) -> T {
        if self.beta == 0.75 {
            let root = s.sqrt();
            return T::ONE / (root * root.sqrt());
        }
        s.powf(T::of(-self.beta))
    }

    /// s of a sample.
    fn scales<T: Scalar>(&self, x: &[T], pixels: usize, s: &mut [T]) {
        let (alpha, k, channels) = (T::of(self.alpha), T::of(self.k), x.len() / pixels);
        for (c, s) in s.chunks_exact_mut(pixels).enumerate() {
            s.fill(T::ZERO);
            for x in
                x.chunks_exact(pixels).take(self.around(c, channels).end).skip(self.around(c, channels).start)
            {
                s.iter_mut().zip(x).for_each(|(s, &x)| *s += x * x);
            }
            s.iter_mut().for_each(|s| *s = k + alpha * *s);
        }
    }
}

const OP: &str = "local_response";

impl<T: Scalar> Op<T, 1> for LocalResponse {
    /// Nothing: the sums are cheaper than the memory.
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, ())> {
        let [_, channels, pixels] = self.checked(x.shape())?;
        let sample = channels * pixels;
        let y = Tensor::compute(x.dims(), |y| {
            for_each_block(y, sample, |i, y| {
                let x = &x.as_slice()[i * sample..][..sample];
                vectorize(
                    #[inline(always)]
                    || {
                        self.scales(x, pixels, y);
                        y.iter_mut().zip(x).for_each(|(y, &x)| *y = x * self.power(*y));
                    },
                );
            });
        })?;
        Ok((y, ()))
    }

    fn vjp(
        &self,
        [x]: [&Tensor<T>; 1],
        (): &(),
        dy: &Tensor<T>,
        [wanted]: [bool; 1],
    ) -> Result<[Option<Tensor<T>>; 1]> {
        let [_, channels, pixels] = self.checked(x.shape())?;
        expect(OP, "dy", x.dims(), dy.shape())?;
        if !wanted {
            return Ok([None]);
        }
        let (sample, factor) = (channels * pixels, T::of(-2.0 * self.alpha * self.beta));
        let dx = Tensor::compute(x.dims(), |dx| {
            for_each_block(dx, sample, |i, dx| {
                let of_sample = i * sample..(i + 1) * sample;
                let (x, dy) = (&x.as_slice()[of_sample.clone()], &dy.as_slice()[of_sample]);
                let mut shares = vec![T::ZERO; sample];
                vectorize(
                    #[inline(always)]
                    || {
                        // First each channel's own part, and what it asks of its neighbours.
                        self.scales(x, pixels, dx);
                        for (((dx, share), &x), &dy) in dx.iter_mut().zip(&mut shares).zip(x).zip(dy) {
                            let (s, own) = (*dx, dy * self.power(*dx));
                            *share = own * x / s;
                            *dx = own;
                        }
                        for (c, (dx, x)) in
                            dx.chunks_exact_mut(pixels).zip(x.chunks_exact(pixels)).enumerate()
                        {
                            for j in self.around(c, channels) {
                                let shares = &shares[j * pixels..][..pixels];
                                for ((dx, &x), &share) in dx.iter_mut().zip(x).zip(shares) {
                                    *dx += factor * x * share;
                                }
                            }
                        }
                    },
                );
            });
        })?;
        Ok([Some(dx)])
    }
}
