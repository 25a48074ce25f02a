//! Padding as an operation: what lies beyond the edge of an image.

use crate::Window;
use crate::sampling::{Axis, images, sampled, sampled_back};
use gradus_autograd::Op;
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::{Error, Result, Scalar, Tensor};

pub(crate) const FORMULA: Formula = Formula {
    id: "padding-modes",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "What lies beyond the edge",
    latex: r"y_h = x_{\pi(h)}, \qquad \pi(h) = \begin{cases} \min(\max(h, 0),\, N - 1) & \text{replicate} \\ N - 1 - \bigl|N - 1 - |h|\bigr| & \text{reflect} \\ h \bmod N & \text{circular} \end{cases}",
    unicode: "y[h] = x[π(h)], π(h) = min(max(h, 0), N − 1) replicate, N − 1 − |N − 1 − |h|| reflect, h mod N circular",
    symbols: &[
        Symbol {
            latex: "x",
            code: "x",
            meaning: "the images, along one axis",
            shape: "[N, C, H, W]",
            unit: "any",
        },
        Symbol {
            latex: "h",
            code: "h",
            meaning: "a place of the padded axis, counted from the first element: from −P before to N + P after",
            shape: "[]",
            unit: "index",
        },
        crate::symbols::N,
        Symbol {
            latex: r"\pi(h)",
            code: "element",
            meaning: "the element that stands there",
            shape: "[]",
            unit: "index",
        },
    ],
    source: "Gonzalez & Woods 2018, §3.4; the names are PyTorch's",
    item: item!(struct Pad),
    chapter: "convolution-layers",
    printed: None,
};

/// What stands beyond the edge of an image; the names are PyTorch's.
///
/// Of `1 2 3` with two more on each side:
///
/// | mode | padded |
/// |---|---|
/// | `Zeros` | `0 0` 1 2 3 `0 0` |
/// | `Constant(7.0)` | `7 7` 1 2 3 `7 7` |
/// | `Reflect` | `3 2` 1 2 3 `2 1` |
/// | `Replicate` | `1 1` 1 2 3 `3 3` |
/// | `Circular` | `2 3` 1 2 3 `1 2` |
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub enum PaddingMode {
    /// Zeros.
    #[default]
    Zeros,
    /// This number.
    Constant(f64),
    /// The image in a mirror that stands on its outermost pixels, which are not repeated. At most one element less than there are.
    Reflect,
    /// The outermost pixel, again and again.
    Replicate,
    /// The image from its other end. At most as many elements as there are.
    Circular,
}

const OP: &str = "pad";

impl PaddingMode {
    /// The most elements of padding on one side of `n`.
    fn most(self, n: usize) -> usize {
        match self {
            Self::Zeros | Self::Constant(_) | Self::Replicate => usize::MAX,
            Self::Reflect => n - 1,
            Self::Circular => n,
        }
    }

    /// π: which of `n` elements stands at place `i`, counted from the padding's first.
    fn element(self, before: usize, n: usize, i: usize) -> Option<usize> {
        let inside = i.checked_sub(before).filter(|&at| at < n);
        if inside.is_some() {
            return inside;
        }
        // How far beyond the first element, or beyond the last.
        let (ahead, behind) = (before.saturating_sub(i), i.saturating_sub(before + n - 1));
        match self {
            Self::Zeros | Self::Constant(_) => None,
            Self::Replicate => Some(if ahead > 0 { 0 } else { n - 1 }),
            Self::Reflect => Some(if ahead > 0 { ahead } else { n - 1 - behind }),
            Self::Circular => Some(if ahead > 0 { n - ahead } else { behind - 1 }),
        }
    }
}

/// Padding as an operation on `[x]`.
///
/// **Formula** `padding-modes`: y\[h\] = x\[π(h)\] along each axis, where π leads a place beyond the edge back to an element; with
/// [`Zeros`](PaddingMode::Zeros) and [`Constant`](PaddingMode::Constant) there is none.
///
/// **Shapes**: x `[N, C, H, W]`; the result `[N, C, H + P, W + P']`, P the padding above and below together. **Units**: those of the data.
///
/// **Gradient**: each dy goes back to the element that was copied there, so an element near the edge gets several; that of a constant is lost.
///
/// **Numerics**: copies, to the bit. A NaN stands wherever it was copied to, and nowhere else.
///
/// **Errors**: another rank, an axis of no elements, more padding than the mode can make (reflect: below the size, circular: at most the size).
///
/// **Source**: Gonzalez & Woods 2018, §3.4.
///
/// ```
/// use gradus_autograd::Op;
/// use gradus_cnn::{Pad, PaddingMode};
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([[[[1.0, 2.0, 3.0]]]; 1]);
/// let pad = Pad::new([[0, 0], [2, 1]]);
/// assert_eq!(pad.eval([&x])?.as_slice(), [0.0, 0.0, 1.0, 2.0, 3.0, 0.0]);
/// let reflect = pad.mode(PaddingMode::Reflect);
/// assert_eq!(reflect.eval([&x])?.as_slice(), [3.0, 2.0, 1.0, 2.0, 3.0, 2.0]);
/// let [dx] = reflect.vjp([&x], &(), &Tensor::ones([1, 1, 1, 6])?, [true])?;
/// assert_eq!(dx.map(|dx| dx.into_vec()), Some(vec![1.0, 3.0, 2.0]));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pad {
    padding: [[usize; 2]; 2],
    mode: PaddingMode,
}

impl Pad {
    /// With zeros, so many rows above and below, and so many columns on the left and on the right.
    #[must_use]
    pub const fn new(padding: [[usize; 2]; 2]) -> Self {
        Self { padding, mode: PaddingMode::Zeros }
    }

    /// With zeros, as these windows are padded.
    #[must_use]
    pub const fn of(windows: [Window; 2]) -> Self {
        Self::new([windows[0].padding, windows[1].padding])
    }

    /// The same with something else beyond the edge.
    #[must_use]
    pub const fn mode(self, mode: PaddingMode) -> Self {
        Self { mode, ..self }
    }

    /// The sizes of the padded images.
    fn sizes(&self, [.., h, w]: [usize; 4]) -> Result<[usize; 2]> {
        Ok([padded(self.mode, self.padding[0], h)?, padded(self.mode, self.padding[1], w)?])
    }

    /// What stands where.
    fn axes<T: Scalar>(&self, [.., h, w]: [usize; 4], output: [usize; 2]) -> [Axis<T>; 2] {
        let axis = |padding: [usize; 2], n, outputs| {
            Axis::new(outputs, |i| self.mode.element(padding[0], n, i).map(|at| (at, T::ONE)))
        };
        [axis(self.padding[0], h, output[0]), axis(self.padding[1], w, output[1])]
    }
}

/// The size of a padded axis.
fn padded(mode: PaddingMode, padding: [usize; 2], n: usize) -> Result<usize> {
    let [before, after] = padding;
    let most = mode.most(n);
    let wrong = |allowed: String| {
        let value = format!("{before}+{after} around {n}, {mode:?}");
        Err(Error::Argument { op: OP, name: "padding", value, allowed })
    };
    if before > most || after > most {
        return wrong(format!("at most {most} on each side"));
    }
    match before.checked_add(after).and_then(|padding| padding.checked_add(n)) {
        Some(size) => Ok(size),
        None => wrong(format!("at most {} in all", usize::MAX - n)),
    }
}

impl<T: Scalar> Op<T, 1> for Pad {
    /// Nothing: what stands where follows from the shape.
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, ())> {
        let dims = images(OP, x.shape())?;
        let output = self.sizes(dims)?;
        let fill = if let PaddingMode::Constant(value) = self.mode { T::of(value) } else { T::ZERO };
        Ok((sampled(x, dims, output, || self.axes(dims, output), fill)?, ()))
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
