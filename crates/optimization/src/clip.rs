//! Clipping: no gradient is longer, or larger, than a limit.

use crate::error::allow;
use crate::symbols::GRADIENT;
use crate::{Error, Result};
use gradus_autograd::{Gradients, Name, Parameters, Slot, Var};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::Scalar;
use gradus_tensor::kernel::{BLOCK, map_blocks, row, vectorize};
use std::collections::HashSet;

pub(crate) const FORMULA: Formula = Formula {
    id: "gradient-clipping",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Clipping by the global norm",
    latex: r"g \leftarrow g \cdot \min\left(1, \frac{c}{\lVert g \rVert}\right), \qquad \lVert g \rVert^2 = \sum_k \lVert g_k \rVert^2",
    unicode: "g ← g·min(1, c/‖g‖), ‖g‖² = Σₖ‖gₖ‖²",
    symbols: &[
        GRADIENT,
        Symbol {
            latex: "g_k",
            code: "gradient",
            meaning: "the part of it that belongs to parameter k",
            shape: "as θₖ",
            unit: "as g",
        },
        Symbol {
            latex: "c",
            code: "limit",
            meaning: "the largest length that is allowed",
            shape: "[]",
            unit: "as g",
        },
    ],
    source: "Pascanu, Mikolov & Bengio 2013, Algorithm 1",
    item: item!(fn clip_grad_norm),
    chapter: "sgd",
    printed: None,
};

/// Shortens the gradient of all parameters together to the length `limit`, if it is longer, and gives the length that it had.
///
/// **Formula** `gradient-clipping`: g ← g·min(1, c/‖g‖), ‖g‖ over all parameters of the model: the direction stays.
///
/// **Shapes**: any. **Units**: c has those of g. **Gradient**: not differentiated.
///
/// **Numerics**: the length is a sum in `f64`, in the order of the model's parameters, a tied one once; no square overflows or
/// vanishes. There is no ε as in PyTorch, which shortens to a little less than c. A NaN anywhere makes all gradients NaN, and is
/// the result: nothing is hidden. An infinite gradient becomes NaN, the finite ones 0, and ∞ is the result.
///
/// **Errors**: a limit that is not above 0; ∞ is allowed, and measures only.
///
/// **Source**: Pascanu, Mikolov & Bengio 2013, Algorithm 1.
///
/// ```
/// use gradus_autograd::Var;
/// use gradus_optimization::clip_grad_norm;
/// use gradus_tensor::Tensor;
/// let w = Var::parameter(Tensor::from([1.0f64, 1.0]));
/// let mut gradients = w.mul(&Var::constant(Tensor::from([30.0, 40.0])))?.sum()?.backward()?;
/// assert_eq!(clip_grad_norm(&w, &mut gradients, 5.0)?, 50.0);
/// assert_eq!(gradients.get(&w), Some(&Tensor::from([3.0, 4.0])));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn clip_grad_norm<T: Scalar>(
    model: &dyn Parameters<T>,
    gradients: &mut Gradients<T>,
    limit: f64,
) -> Result<f64> {
    allow(limit > 0.0, "limit", limit, "above 0")?;
    let mut length = root_of_squares(model, gradients, 1.0)?;
    if length.is_infinite() || length < SMALL {
        // The squares may have vanished or overflowed: once more, in units of about the largest.
        let mut largest = 0.0f64;
        each(model, |parameter| {
            if let Some(gradient) = gradients.get(parameter).filter(|g| !g.is_empty()) {
                largest = largest.max_or_nan(gradient.abs().max()?.as_f64());
            }
            Ok(())
        })?;
        if largest > 0.0 && largest.is_finite() {
            // A power of two, which rounds nothing.
            let scale = (-largest.log2().floor()).clamp(-1000.0, 1000.0).exp2();
            length = root_of_squares(model, gradients, scale)? / scale;
        }
    }
    // A NaN is not above any limit; it must not pass for short.
    if length > limit || length.is_nan() {
        let factor = T::of(limit / length);
        change(model, gradients, |g| g * factor)?;
    }
    Ok(length)
}

/// Cuts each component of the gradient to −`limit`…`limit`. The direction changes.
///
/// **Formula**: gᵢ ← min(max(gᵢ, −c), c).
///
/// **Shapes**: any. **Units**: c has those of g. **Gradient**: not differentiated. **Numerics**: NaN stays NaN.
///
/// **Errors**: a limit that is not above 0. **Source**: Mikolov 2012, §3.2.2.
///
/// ```
/// use gradus_autograd::Var;
/// use gradus_optimization::clip_grad_value;
/// use gradus_tensor::Tensor;
/// let w = Var::parameter(Tensor::from([1.0f64, 1.0, 1.0]));
/// let mut gradients = w.mul(&Var::constant(Tensor::from([30.0, -40.0, 2.0])))?.sum()?.backward()?;
/// clip_grad_value(&w, &mut gradients, 5.0)?;
/// assert_eq!(gradients.get(&w), Some(&Tensor::from([5.0, -5.0, 2.0])));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn clip_grad_value<T: Scalar>(
    model: &dyn Parameters<T>,
    gradients: &mut Gradients<T>,
    limit: f64,
) -> Result<()> {
    allow(limit > 0.0, "limit", limit, "above 0")?;
    let limit = T::of(limit);
    change(model, gradients, |g| g.max_or_nan(-limit).min_or_nan(limit))
}

/// Below this length squares may have lost digits.
const SMALL: f64 = 1e-140;

/// √Σ(scale·g)² over the whole model.
fn root_of_squares<T: Scalar>(
    model: &dyn Parameters<T>,
    gradients: &Gradients<T>,
    scale: f64,
) -> Result<f64> {
    let mut sum = 0.0;
    each(model, |parameter| {
        if let Some(gradient) = gradients.get(parameter) {
            let blocks = gradient.as_slice().chunks(BLOCK);
            sum += match blocks.len() {
                0 | 1 => squares(gradient.as_slice(), scale),
                count => map_blocks(count, |i| {
                    squares(&gradient.as_slice()[i * BLOCK..gradient.len().min((i + 1) * BLOCK)], scale)
                })
                .iter()
                .sum(),
            };
        }
        Ok(())
    })?;
    Ok(sum.sqrt())
}

/// Σ(scale·g)² in `f64`.
fn squares<T: Scalar>(block: &[T], scale: f64) -> f64 {
    vectorize(
        #[inline(always)]
        || {
            let mut sum = 0.0;
            for leaf in block.chunks(LEAF) {
                let mut wide = [0.0f64; LEAF];
                wide.iter_mut().zip(leaf).for_each(|(wide, g)| *wide = g.as_f64() * scale);
                sum += row::sum_by(&wide[..leaf.len()], |x| x * x);
            }
            sum
        },
    )
}

/// How many numbers are widened at once.
const LEAF: usize = 512;

fn change<T: Scalar>(
    model: &dyn Parameters<T>,
    gradients: &mut Gradients<T>,
    f: impl Fn(T) -> T + Sync,
) -> Result<()> {
    each(model, |parameter| {
        if let Some(gradient) = gradients.get_mut(parameter) {
            gradient.map_in_place(&f);
        }
        Ok(())
    })
}

/// Shows every parameter once.
fn each<T: Scalar>(
    model: &dyn Parameters<T>,
    mut see: impl FnMut(&Var<T>) -> Result<(), Error>,
) -> Result<()> {
    let mut seen = HashSet::new();
    let mut result = Ok(());
    model.visit(&mut Name::default(), &mut |_, slot| {
        if let Slot::Parameter(parameter) = slot
            && result.is_ok()
            && seen.insert(parameter.id())
        {
            result = see(parameter);
        }
    });
    result
}
