//! How much of the gradient arrives many steps earlier: along the cell, and by all paths.

use crate::symbols::{C_AFTER, C_BEFORE, FORGET, H_BEFORE};
use crate::{CellState, Recurrence};
use gradus_autograd::Op;
use gradus_formula::{Formula, Kind, Printed, Verdict, item};
use gradus_tensor::{Error, Result, Scalar, Tensor};

pub(crate) const FORMULA: Formula = Formula {
    id: "lstm-no-vanishing",
    kind: Kind::Formula,
    verdict: Verdict::Wrong,
    title: "The gradient along the cell",
    latex: r"\left.\frac{\partial C_T}{\partial C_0}\right|_{h\ \text{fixed}} = \prod_{t=1}^{T} \operatorname{diag}(f_t)",
    unicode: "∂C_T/∂C₀ with h fixed = ∏ₜ diag(fₜ)",
    symbols: &[C_AFTER, C_BEFORE, FORGET, H_BEFORE],
    source: "Hochreiter 1991; Gers, Schmidhuber & Cummins 2000; Jozefowicz, Zaremba & Sutskever 2015, §2.2",
    item: item!(fn cell_path),
    chapter: "gradient-flow",
    printed: Some(Printed {
        latex: r"f_t \text{ for important info} \to \text{so not vanishing gradient}",
        reason: "Along the cell the gradient is the product of the forget gates: it lasts as long as they are near 1, and vanishes where they are not. A gate is below 1 always; and the other paths, through h, can vanish and explode as in any recurrent network.",
        counterexample: "0.9¹⁰⁰ = 2.7·10⁻⁵; 0.99¹⁰⁰ = 0.37.",
    }),
};

pub(crate) const FORMULA_FIGURE: Formula = Formula {
    id: "lstm-figure-refs",
    kind: Kind::Figure,
    verdict: Verdict::Ok,
    title: "Gradients that last, and that do not",
    latex: r"\left\lVert \frac{\partial C_T}{\partial C_t} \right\rVert_F",
    unicode: "‖∂C_T/∂C_t‖ over t",
    symbols: &[C_AFTER, FORGET],
    source: "Hochreiter 1991; Gers, Schmidhuber & Cummins 2000",
    item: item!(fn gradient_flow),
    chapter: "gradient-flow",
    printed: None,
};

/// What arrives of a gradient at the cell of step t, of one at the cell of step T, if the outputs h are held fixed: the product of the forget
/// gates between.
///
/// **Formula** `lstm-no-vanishing`: ∂C_T/∂C_t = diag(f_{t+1})·…·diag(f_T).
///
/// **Shapes**: `[T, H]`, the forget gates of steps 1 to T; the result `[T + 1, H]`, for t = 0 to T. **Units**: 1, between 0 and 1.
///
/// **Gradient**: this is one. **Numerics**: products from the last step on; below 10⁻³⁰⁸ it is 0.
///
/// **Errors**: not two dimensions.
///
/// **Source**: Hochreiter 1991; Gers, Schmidhuber & Cummins 2000.
///
/// ```
/// use gradus_lstm::cell_path;
/// use gradus_tensor::Tensor;
/// let path = cell_path(&Tensor::from([[0.5], [0.25]]))?;
/// assert_eq!(path, Tensor::from([[0.125], [0.25], [1.0]]));
/// let long: Tensor<f64> = cell_path(&Tensor::full([100, 1], 0.9)?)?;
/// assert!((long.get([0, 0])? - 2.656e-5).abs() < 1e-8); // “not vanishing”
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn cell_path<T: Scalar>(forget: &Tensor<T>) -> Result<Tensor<T>> {
    let &[time, hidden] = forget.dims() else {
        return Err(Error::shape("cell_path", "forget gates of the shape [T, H]", forget.shape()));
    };
    let mut path = Tensor::ones([time + 1, hidden])?;
    let (f, out) = (forget.as_slice(), path.as_mut_slice());
    for t in (0..time).rev() {
        for u in 0..hidden {
            out[t * hidden + u] = out[(t + 1) * hidden + u] * f[t * hidden + u];
        }
    }
    Ok(path)
}

/// How large the derivative of the last cell is in the cell of every step before.
#[derive(Debug, Clone, PartialEq)]
pub struct GradientFlow {
    /// Along the cell, h held fixed: ‖∏ diag(f)‖ / √H for t = 0 to T. It is 1 at the end.
    pub path: Vec<f64>,
    /// By all paths: ‖∂C_T/∂C_t‖ / √H.
    pub total: Vec<f64>,
}

/// The derivative of the last cell in the cell of every step, along the cell and by all paths, as Frobenius norms over √H.
///
/// The whole Jacobian of a step takes one backward pass: the sample is taken H times, with a cotangent of its own each.
///
/// # Errors
/// If the shapes do not fit: one sequence x `[T, D]`, W `[D, 4H]`, U `[H, 4H]`, b `[4H]`, and the state before, `[1, H]`.
///
/// ```
/// use gradus_autograd::Var;
/// use gradus_lstm::{CellState, gradient_flow};
/// use gradus_tensor::Tensor;
/// // Without recurrent weights there is no other path: with all sums 0, f = ½ in every step.
/// let zero = |dims: &[usize]| Tensor::<f64>::zeros(dims);
/// let state = CellState { h: Var::constant(zero(&[1, 2])?), c: Var::constant(zero(&[1, 2])?) };
/// let flow = gradient_flow(&zero(&[3, 1])?, [&zero(&[1, 8])?, &zero(&[2, 8])?, &zero(&[8])?], &state)?;
/// assert_eq!(flow.path, [0.125, 0.25, 0.5, 1.0]);
/// assert_eq!(flow.total, flow.path);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn gradient_flow<T: Scalar>(
    x: &Tensor<T>,
    [w, u, b]: [&Tensor<T>; 3],
    state: &CellState<T>,
) -> Result<GradientFlow> {
    let &[time, inputs] = x.dims() else {
        return Err(Error::shape("gradient_flow", "one sequence, [T, D]", x.shape()));
    };
    let hidden = state.c.shape().elements();
    let norm = |jacobian: &Tensor<T>| (jacobian.powi(2).sum().as_f64() / hidden as f64).sqrt();
    // Forward once, for the gates, and the states that each tail begins with.
    let all = Recurrence::default();
    let (y, trace) = all.forward([&x.insert_axis(0)?, &state.h.value(), &state.c.value(), w, u, b])?;
    let gates = (0..time).map(|t| trace.gates(0, t)?.select(0, 1)).collect::<Result<Vec<_>>>()?;
    let forget = match &gates[..] {
        [] => Tensor::zeros([0, hidden])?,
        some => Tensor::stack(&some.iter().collect::<Vec<_>>(), 0)?,
    };
    let path = cell_path(&forget)?.rows()?.map(|row| norm(&row)).collect();
    let repeat = |row: &Tensor<T>| row.reshape([1, hidden])?.broadcast_to([hidden, hidden]);
    let mut total = Vec::new();
    for t in 0..time {
        let (h, c) = match t {
            0 => (state.h.value(), state.c.value()),
            _ => (y.select(0, 0)?.select(0, t - 1)?, trace.cell(0, t - 1)?),
        };
        let rest = x.slice(0, t..time)?.insert_axis(0)?.broadcast_to([hidden, time - t, inputs])?;
        let (h, c) = (repeat(&h)?, repeat(&c)?);
        let tail = Recurrence { states: true, ..Recurrence::default() };
        let inputs = [&rest, &h, &c, w, u, b];
        let (out, saved) = tail.forward(inputs)?;
        // Sample k asks for the derivative of unit k of the last cell.
        let last = time - t + 1;
        let dy =
            Tensor::from_fn(out.dims(), |i| if i[1] == last && i[0] == i[2] { T::ONE } else { T::ZERO })?;
        let [_, _, jacobian, ..] =
            tail.vjp(inputs, &saved, &dy, [false, false, true, false, false, false])?;
        total.push(jacobian.map_or(f64::NAN, |j| norm(&j)));
    }
    total.push(1.0);
    Ok(GradientFlow { path, total })
}
