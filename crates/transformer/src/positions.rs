//! Where a position stands: sines and cosines that are added, and rotations of queries and keys.

use crate::symbols::D;
use gradus_autograd::Op;
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::kernel::for_each_block;
use gradus_tensor::{Error, Result, Scalar, Tensor};

const PLACE: Symbol = Symbol {
    latex: r"\mathit{pos}",
    code: "pos",
    meaning: "the place in the sequence, from 0 on",
    shape: "[]",
    unit: "steps",
};

pub(crate) const FORMULA: Formula = Formula {
    id: "positional-encoding",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Positions as sines and cosines",
    latex: r"PE_{\mathit{pos},\,2i} = \sin\!\left(\mathit{pos} \cdot 10000^{-2i/d}\right), \qquad
        PE_{\mathit{pos},\,2i+1} = \cos\!\left(\mathit{pos} \cdot 10000^{-2i/d}\right)",
    unicode: "PE(pos, 2i) = sin(pos·10000^(−2i/d)), PE(pos, 2i+1) = cos(pos·10000^(−2i/d))",
    symbols: &[
        PLACE,
        Symbol { latex: "i", code: "i", meaning: "the number of the wave", shape: "[]", unit: "index" },
        D,
    ],
    source: "Vaswani et al. 2017, §3.5",
    item: item!(fn positional_encoding),
    chapter: "positions",
    printed: None,
};

pub(crate) const FORMULA_ROTARY: Formula = Formula {
    id: "rotary-encoding",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Positions as rotations",
    latex: r"\tilde q_{2i} + \mathrm{i}\,\tilde q_{2i+1} = (q_{2i} + \mathrm{i}\,q_{2i+1})\,
        e^{\mathrm{i}\,\mathit{pos}\,\theta_i}, \qquad \theta_i = b^{-2i/d}",
    unicode: "(q̃₂ᵢ, q̃₂ᵢ₊₁) = (q₂ᵢ, q₂ᵢ₊₁) turned by pos·θᵢ, θᵢ = b^(−2i/d)",
    symbols: &[
        PLACE,
        Symbol { latex: "q", code: "x", meaning: "a query or a key", shape: "[…, T, H·d]", unit: "any" },
        Symbol {
            latex: r"\theta_i",
            code: "angle",
            meaning: "by how much a pair is turned from one place to the next",
            shape: "[]",
            unit: "rad",
        },
        Symbol { latex: "b", code: "base", meaning: "the base, 10000 as a rule", shape: "[]", unit: "1" },
    ],
    source: "Su et al. 2021, §3.2.2, eq. 15",
    item: item!(struct Rotary),
    chapter: "positions",
    printed: None,
};

/// The paper's positions: a row of sines and cosines for each place, to be added to its vector.
///
/// **Formula** `positional-encoding`: sin(pos·10000^(−2i/d)) in the even columns, cos in the odd ones.
///
/// **Shapes**: the result `[length, d]`. **Units**: 1.
///
/// **Numerics**: angles, sines and cosines in `f64`, rounded once. A row's length is √(d/2).
///
/// **Errors**: an odd d.
///
/// **Source**: Vaswani et al. 2017, §3.5.
///
/// ```
/// use gradus_transformer::positional_encoding;
/// use gradus_tensor::Tensor;
/// let table = positional_encoding::<f64>(2, 4)?;
/// let expected = [[0.0, 1.0, 0.0, 1.0], [1f64.sin(), 1f64.cos(), 0.01f64.sin(), 0.01f64.cos()]];
/// assert!(table.all_close(&Tensor::from(expected), 1e-15, 0.0)?);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn positional_encoding<T: Scalar>(length: usize, d: usize) -> Result<Tensor<T>> {
    if !d.is_multiple_of(2) {
        return Err(Error::argument(
            "positional_encoding",
            "d",
            d,
            "an even number: pairs of sine and cosine",
        ));
    }
    Tensor::from_fn([length, d], |at| {
        let angle = at[0] as f64 * angle(at[1] / 2, d, 10_000.0);
        T::of(if at[1].is_multiple_of(2) { angle.sin() } else { angle.cos() })
    })
}

/// base^(−2i/d).
fn angle(i: usize, d: usize, base: f64) -> f64 {
    base.powf(-2.0 * i as f64 / d as f64)
}

/// Rotary positions (RoPE): each pair of numbers of a query or a key is turned by an angle that grows with its place, so that their scores
/// depend on how far apart they are, not on where they stand.
///
/// **Formula** `rotary-encoding`: (x₂ᵢ, x₂ᵢ₊₁) turned by pos·base^(−2i/d).
///
/// **Shapes**: `[…, T, W]`; the first [`columns`](Self::columns) of W, all by default, are heads of d numbers each; the others stay as they are.
///
/// **Gradient**: the rotation back; it is orthogonal.
///
/// **Numerics**: sines and cosines in `f64`, rounded once. The pairs are neighbours, as in the paper; GPT-NeoX and Llama's files pair i with i + d/2, a
/// permutation of the columns.
///
/// **Errors**: an odd d, a base not above 1, columns that are no whole heads.
///
/// **Source**: Su et al. 2021, §3.2.2, eq. 15.
///
/// ```
/// use gradus_autograd::Op;
/// use gradus_transformer::Rotary;
/// use gradus_tensor::Tensor;
/// // One pair, turned by 0, 1 and 2 radians.
/// let y = Rotary::new(2, 10_000.0)?.eval([&Tensor::from([[1.0, 0.0]; 3])])?;
/// let expected = [[1.0, 0.0], [1f64.cos(), 1f64.sin()], [2f64.cos(), 2f64.sin()]];
/// assert!(y.all_close(&Tensor::from(expected), 1e-15, 0.0)?);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rotary {
    size: usize,
    base: f64,
    columns: Option<usize>,
    first: usize,
}

impl Rotary {
    /// For heads of `size` numbers.
    ///
    /// # Errors
    /// If that is odd or 0, or the base is not above 1.
    pub fn new(size: usize, base: f64) -> Result<Self> {
        if size == 0 || !size.is_multiple_of(2) {
            return Err(Error::argument("rotary", "size", size, "an even number: pairs are turned"));
        }
        if !(base > 1.0 && base.is_finite()) {
            return Err(Error::argument("rotary", "base", base, "finite and above 1"));
        }
        Ok(Self { size, base, columns: None, first: 0 })
    }

    /// Only so many columns, from the first on, are turned.
    #[must_use]
    pub fn columns(self, columns: usize) -> Self {
        Self { columns: Some(columns), ..self }
    }

    /// The first row stands at this place.
    #[must_use]
    pub fn first(self, first: usize) -> Self {
        Self { first, ..self }
    }

    /// Turned by the places, or back.
    fn turn<T: Scalar>(&self, x: &Tensor<T>, back: bool) -> Result<Tensor<T>> {
        let &[.., rows, width] = x.dims() else {
            return Err(Error::shape("rotary", "x of at least two dimensions", x.shape()));
        };
        let columns = self.columns.unwrap_or(width);
        if columns > width || !columns.is_multiple_of(self.size) {
            let allowed = format!("whole heads of {} within {width}", self.size);
            return Err(Error::argument("rotary", "columns", columns, allowed));
        }
        let half = self.size / 2;
        let mut table = vec![(T::ZERO, T::ZERO); rows * half];
        for (i, entry) in table.iter_mut().enumerate() {
            let place = (self.first + i / half) as f64;
            let (sin, cos) = (place * angle(i % half, self.size, self.base)).sin_cos();
            *entry = (T::of(if back { -sin } else { sin }), T::of(cos));
        }
        let data = x.as_slice();
        Tensor::compute(x.shape(), |out| {
            for_each_block(out, (rows * width).max(1), |b, out| {
                for (r, out) in out.chunks_mut(width.max(1)).enumerate() {
                    let x = &data[(b * rows + r) * width..][..width];
                    out[columns..].copy_from_slice(&x[columns..]);
                    let turns = &table[r * half..][..half];
                    for (out, x) in out[..columns].chunks_mut(self.size).zip(x.chunks(self.size)) {
                        let (pairs, _) = out.as_chunks_mut::<2>();
                        for ((out, x), &(sin, cos)) in pairs.iter_mut().zip(x.as_chunks::<2>().0).zip(turns) {
                            *out = [x[0] * cos - x[1] * sin, x[0] * sin + x[1] * cos];
                        }
                    }
                }
            });
        })
    }
}

impl<T: Scalar> Op<T, 1> for Rotary {
    /// Nothing: the angles follow from the places.
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, ())> {
        Ok((self.turn(x, false)?, ()))
    }

    fn vjp(
        &self,
        _: [&Tensor<T>; 1],
        (): &(),
        dy: &Tensor<T>,
        [wants]: [bool; 1],
    ) -> Result<[Option<Tensor<T>>; 1]> {
        Ok([if wants { Some(self.turn(dy, true)?) } else { None }])
    }
}
