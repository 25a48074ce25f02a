//! Images made larger without weights: each new pixel is an old one, or lies between old ones.

use crate::Geometry;
use crate::sampling::{Axis, images, sampled, sampled_back};
use gradus_autograd::Op;
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::{Result, Scalar, Tensor};

const X: Symbol = Symbol {
    latex: "x",
    code: "x",
    meaning: "the images, along one axis",
    shape: "[N, C, H, W]",
    unit: "any",
};
const O: Symbol = Symbol {
    latex: "O",
    code: "output",
    meaning: "the size of the result along the axis",
    shape: "[]",
    unit: "count",
};

pub(crate) const FORMULA_NEAREST: Formula = Formula {
    id: "nearest-upsampling",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Upsampling by the nearest pixel",
    latex: r"y_i = x_{\lfloor iN/O \rfloor}",
    unicode: "y[i] = x[⌊i·N/O⌋]",
    symbols: &[X, O, crate::symbols::N],
    source: "Gonzalez & Woods 2018, §2.4",
    item: item!(struct Upsample),
    chapter: "convolution-layers",
    printed: None,
};

pub(crate) const FORMULA_BILINEAR: Formula = Formula {
    id: "bilinear-upsampling",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Bilinear upsampling",
    latex: r"y_i = (1 - \lambda)\, x_{\lfloor s \rfloor} + \lambda\, x_{\lfloor s \rfloor + 1}, \qquad s = \left(i + \tfrac12\right) \frac{N}{O} - \frac12, \qquad \lambda = s - \lfloor s \rfloor",
    unicode: "y[i] = (1 − λ)·x[⌊s⌋] + λ·x[⌊s⌋ + 1], s = (i + ½)·N/O − ½ kept within 0 and N − 1, λ = s − ⌊s⌋; along each axis",
    symbols: &[
        X,
        Symbol {
            latex: "s",
            code: "s",
            meaning: "where the middle of the new pixel lies among the middles of the old ones, kept within 0 and N − 1",
            shape: "[]",
            unit: "index",
        },
        O,
        crate::symbols::N,
    ],
    source: "Gonzalez & Woods 2018, §2.4; half-pixel centres as in OpenCV, PyTorch and ONNX",
    item: item!(struct Upsample),
    chapter: "convolution-layers",
    printed: None,
};

/// Where a new pixel takes its value from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Interpolation {
    /// From one old pixel.
    #[default]
    Nearest,
    /// From the four around it. Pixels are small squares, and the edges of old and new image coincide: PyTorch's `align_corners=False`.
    Bilinear,
    /// From the four around it. Pixels are points, and the outermost of old and new image coincide: s = i·(N − 1)/(O − 1), PyTorch's `align_corners=True`. How far
    /// apart the new ones are then depends on the size, not on the scale alone.
    BilinearCorners,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Target {
    Size([usize; 2]),
    Ratio { up: [usize; 2], down: [usize; 2] },
}

/// Upsampling as an operation on `[x]`.
///
/// **Formula** `nearest-upsampling`: y\[i\] = x\[⌊i·N/O⌋\] along each axis; `bilinear-upsampling`: y\[i\] = (1 − λ)·x\[⌊s⌋\] + λ·x\[⌊s⌋ + 1\] with
/// s = (i + ½)·N/O − ½, kept within 0 and N − 1, or s = i·(N − 1)/(O − 1) (0 for a single output), and λ = s − ⌊s⌋.
///
/// **Shapes**: x `[N, C, H, W]`; the result `[N, C, O, O']`. **Units**: those of the data.
///
/// **Gradient**: the adjoint: each dy goes back to the pixels that were read, with the same weights.
///
/// **Numerics**: s is a fraction of whole numbers, so that no place is off by one from rounding. A pixel of weight 0 is not read: a NaN stands only where it has a
/// part. Nearest copies to the bit.
///
/// **Errors**: another rank, an axis of no elements, a size or a factor of 0, a size too large to count.
///
/// **Source**: Gonzalez & Woods 2018, §2.4.
///
/// ```
/// use gradus_autograd::Op;
/// use gradus_cnn::Upsample;
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([[[[0.0, 8.0]]]; 1]);
/// let twice = Upsample::by([1, 2]);
/// assert_eq!(twice.eval([&x])?.as_slice(), [0.0, 0.0, 8.0, 8.0]);
/// assert_eq!(twice.bilinear().eval([&x])?.as_slice(), [0.0, 2.0, 6.0, 8.0]); // s = −¼ → 0, ¼, ¾, 1¼ → 1
/// assert_eq!(Upsample::to([1, 5]).bilinear_corners().eval([&x])?.as_slice(), [0.0, 2.0, 4.0, 6.0, 8.0]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Upsample {
    target: Target,
    interpolation: Interpolation,
}

const OP: &str = "upsample";

impl Upsample {
    /// To this many rows and columns, by the nearest pixel.
    #[must_use]
    pub const fn to(size: [usize; 2]) -> Self {
        Self { target: Target::Size(size), interpolation: Interpolation::Nearest }
    }

    /// To so many times as many rows and columns, by the nearest pixel.
    #[must_use]
    pub const fn by(factors: [usize; 2]) -> Self {
        Self::by_ratio(factors, [1, 1])
    }

    /// To ⌊N·up/down⌋ rows and columns, by the nearest pixel. The places follow from the two sizes, not from the ratio, which may not be met exactly.
    ///
    /// ```
    /// use gradus_autograd::Op;
    /// use gradus_cnn::Upsample;
    /// use gradus_tensor::Tensor;
    /// let half_more = Upsample::by_ratio([1, 3], [1, 2]);
    /// assert_eq!(half_more.eval([&Tensor::<f32>::zeros([1, 1, 4, 5])?])?.dims(), [1, 1, 4, 7]);
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    #[must_use]
    pub const fn by_ratio(up: [usize; 2], down: [usize; 2]) -> Self {
        Self { target: Target::Ratio { up, down }, interpolation: Interpolation::Nearest }
    }

    /// The same, between the four pixels around, the edges of the images on each other.
    #[must_use]
    pub const fn bilinear(self) -> Self {
        self.interpolated(Interpolation::Bilinear)
    }

    /// The same, between the four pixels around, the corner pixels of the images on each other.
    #[must_use]
    pub const fn bilinear_corners(self) -> Self {
        self.interpolated(Interpolation::BilinearCorners)
    }

    /// The same with this interpolation.
    #[must_use]
    pub const fn interpolated(self, interpolation: Interpolation) -> Self {
        Self { interpolation, ..self }
    }

    /// Where a new pixel takes its value from.
    #[must_use]
    pub const fn interpolation(&self) -> Interpolation {
        self.interpolation
    }

    /// The sizes of the result.
    fn sizes(&self, [.., h, w]: [usize; 4]) -> Result<[usize; 2]> {
        let at_least_one = |name, value: usize| {
            if value == 0 { Err(Geometry::Zero { name }.during(OP)) } else { Ok(value) }
        };
        let size = match self.target {
            Target::Size(size) => size,
            Target::Ratio { up, down } => {
                let of = |n: usize, up: usize, down: usize| -> Result<usize> {
                    let (up, down) = (at_least_one("factor", up)?, at_least_one("divisor", down)?);
                    let most = usize::MAX / n;
                    let too_large = Geometry::TooLarge { name: "factor", value: up, most };
                    Ok(n.checked_mul(up).ok_or_else(|| too_large.during(OP))? / down)
                };
                [of(h, up[0], down[0])?, of(w, up[1], down[1])?]
            }
        };
        Ok([at_least_one("output", size[0])?, at_least_one("output", size[1])?])
    }

    /// Which pixels an output reads, and with which weights.
    fn axes<T: Scalar>(&self, [.., h, w]: [usize; 4], output: [usize; 2]) -> [Axis<T>; 2] {
        let axis = |n: usize, outputs: usize| Axis::new(outputs, |i| self.interpolation.reads(n, outputs, i));
        [axis(h, output[0]), axis(w, output[1])]
    }
}

impl Interpolation {
    /// The pixels that output `i` of `outputs` reads of `n`; the second may have the weight 0.
    fn reads<T: Scalar>(self, n: usize, outputs: usize, i: usize) -> [(usize, T); 2] {
        let (wide_n, wide_o, wide_i) = (n as u128, outputs as u128, i as u128);
        // s = numerator / denominator, at least 0.
        let (numerator, denominator) = match self {
            Self::Nearest => (wide_i * wide_n / wide_o, 1),
            Self::Bilinear => (((2 * wide_i + 1) * wide_n).saturating_sub(wide_o), 2 * wide_o),
            Self::BilinearCorners if outputs > 1 => (wide_i * (wide_n - 1), wide_o - 1),
            Self::BilinearCorners => (0, 1),
        };
        // The quotient is at most N: it fits.
        let (below, rest) = ((numerator / denominator) as usize, numerator % denominator);
        if below >= n - 1 {
            return [(n - 1, T::ONE), (n - 1, T::ZERO)];
        }
        let above = T::of(rest as f64 / denominator as f64);
        [(below, T::ONE - above), (below + 1, above)]
    }
}

impl<T: Scalar> Op<T, 1> for Upsample {
    /// Nothing: the weights follow from the shape.
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, ())> {
        let dims = images(OP, x.shape())?;
        let output = self.sizes(dims)?;
        Ok((sampled(x, dims, output, || self.axes(dims, output), T::ZERO)?, ()))
    }

    fn vjp(
        &self,
        [x]: [&Tensor<T>; 1],
        (): &(),
        dy: &Tensor<T>,
        [wanted]: [bool; 1],
    ) -> Result<[Option<Tensor<T>>; 1]> {
        let dims = images(OP, x.shape())?;
        let output = self.sizes(dims)?;
        let back = || sampled_back(OP, dy, dims, output, || self.axes(dims, output));
        Ok([wanted.then(back).transpose()?])
    }
}
