//! The cell: the six equations, one after the other. The plain version of what [`Recurrence`](crate::Recurrence) does at once.

use crate::gate::refuse_size;
use crate::symbols::{C_AFTER, C_BEFORE, CANDIDATE, FORGET, H_AFTER, H_BEFORE, INPUT, OUTPUT, X};
use crate::{Gate, GateOrder, GateWeights, candidate, forget_gate, input_gate, output_gate};
use gradus_activations::Activations;
use gradus_autograd::{Var, parameters};
use gradus_formula::{Formula, Kind, Verdict, item};
use gradus_tensor::{Error, Result, Scalar, Tensor};

pub(crate) const FORMULA_LIST: Formula = Formula {
    id: "lstm-gate-list",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "Three gates, a candidate, a cell and an output",
    latex: r"f_t,\ i_t,\ o_t \in (0, 1), \qquad g_t,\ h_t \in (-1, 1), \qquad C_t \in \mathbb{R}",
    unicode: "fₜ, iₜ, oₜ ∈ (0, 1); gₜ, hₜ ∈ (−1, 1); Cₜ any number",
    symbols: &[FORGET, INPUT, OUTPUT, CANDIDATE, H_AFTER, C_AFTER],
    source: "Greff et al. 2017, fig. 1",
    item: item!(struct LstmCell),
    chapter: "lstm",
    printed: None,
};

pub(crate) const FORMULA: Formula = Formula {
    id: "lstm-equations",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "The LSTM",
    latex: r"\begin{aligned}f_t &= \sigma(\theta_{xf}x_t + \theta_{hf}h_{t-1} + b_f) & g_t &= \tanh(\theta_{xg}x_t + \theta_{hg}h_{t-1} + b_g)\\ i_t &= \sigma(\theta_{xi}x_t + \theta_{hi}h_{t-1} + b_i) & C_t &= f_t \odot C_{t-1} + i_t \odot g_t\\ o_t &= \sigma(\theta_{xo}x_t + \theta_{ho}h_{t-1} + b_o) & h_t &= o_t \odot \tanh(C_t)\end{aligned}",
    unicode: "f, i, o = σ(θₓ·xₜ + θₕ·hₜ₋₁ + b); g = tanh(θₓ·xₜ + θₕ·hₜ₋₁ + b); Cₜ = f∘Cₜ₋₁ + i∘g; hₜ = o∘tanh(Cₜ)",
    symbols: &[X, H_BEFORE, C_BEFORE, FORGET, INPUT, OUTPUT, CANDIDATE, C_AFTER, H_AFTER],
    source: "Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000; Greff et al. 2017, eqs. 1–6",
    item: item!(struct LstmCell),
    chapter: "lstm",
    printed: None,
};

pub(crate) const FORMULA_SHARING: Formula = Formula {
    id: "lstm-weight-sharing",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "The same weights in every step",
    latex: r"\frac{\partial L}{\partial \theta} = \sum_{t=1}^{T} \left.\frac{\partial L}{\partial \theta_t}\right|_{\theta_1 = \dots = \theta_T = \theta}",
    unicode: "∂L/∂θ = Σₜ ∂L/∂θₜ at θ₁ = … = θ_T = θ",
    symbols: &[X, H_BEFORE],
    source: "Goodfellow, Bengio & Courville 2016, §10.2.2",
    item: item!(struct LstmCell),
    chapter: "bptt",
    printed: None,
};

/// The state between two steps.
#[derive(Debug, Clone)]
pub struct CellState<T: Scalar = f32> {
    /// h, `[N, H]`.
    pub h: Var<T>,
    /// C, `[N, H]`.
    pub c: Var<T>,
}

/// The LSTM as its six equations, one step at a time: to be read, and to hold the fused [`Recurrence`](crate::Recurrence) against.
///
/// **Formula** `lstm-equations`. The same weights in every step, `lstm-weight-sharing`.
///
/// **Shapes**: x `[N, D]`, h and C `[N, H]`. **Units**: 1; gates within (0, 1), candidate and output within (−1, 1), the cell anything.
///
/// **Gradient**: by composition, through every gate, the cell and the output before.
///
/// **Numerics**: as its parts; six operations a gate, each with a tensor of its own, in a graph that grows with the steps.
///
/// **Errors**: sizes that do not fit.
///
/// **Source**: Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000 (the forget gate); Greff et al. 2017, eqs. 1–6.
///
/// ```
/// use gradus_autograd::Var;
/// use gradus_lstm::{CellState, LstmCell};
/// use gradus_tensor::Tensor;
/// // Weights 0, biases: forget all but σ(0) = ½, let in ½ of tanh(0) = 0.
/// let cell = LstmCell::from_packed(&Tensor::zeros([1, 4])?, &Tensor::zeros([1, 4])?, &Tensor::zeros([4])?)?;
/// let state = CellState { h: Var::constant(Tensor::zeros([1, 1])?), c: Var::constant(Tensor::from([[2.0]])) };
/// let next: CellState<f64> = cell.step(&Var::constant(Tensor::zeros([1, 1])?), &state)?;
/// assert_eq!(next.c.value(), Tensor::from([[1.0]]));
/// assert!((next.h.item()? - 0.5 * 1f64.tanh()).abs() < 1e-15);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct LstmCell<T: Scalar = f32> {
    /// The weights of i.
    pub input: GateWeights<T>,
    /// The weights of f.
    pub forget: GateWeights<T>,
    /// The weights of g.
    pub candidate: GateWeights<T>,
    /// The weights of o.
    pub output: GateWeights<T>,
}

parameters!(LstmCell<T> { input, forget, candidate, output });

impl<T: Scalar> LstmCell<T> {
    /// The cell whose weights lie packed, i, f, g, o: W `[D, 4H]`, U `[H, 4H]`, b `[4H]`.
    ///
    /// # Errors
    /// If the shapes are not these.
    pub fn from_packed(w: &Tensor<T>, u: &Tensor<T>, b: &Tensor<T>) -> Result<Self> {
        let order = GateOrder::PYTORCH;
        let gate = |gate: Gate| {
            GateWeights::new(order.part(w, 1, gate)?, order.part(u, 1, gate)?, order.part(b, 0, gate)?)
        };
        Ok(Self {
            input: gate(Gate::Input)?,
            forget: gate(Gate::Forget)?,
            candidate: gate(Gate::Candidate)?,
            output: gate(Gate::Output)?,
        })
    }

    /// Its weights, packed: W, U and b.
    ///
    /// # Errors
    /// If the gates' shapes differ.
    pub fn packed(&self) -> Result<[Tensor<T>; 3]> {
        let gates = [&self.input, &self.forget, &self.candidate, &self.output];
        let join = |pick: &dyn Fn(&GateWeights<T>) -> Tensor<T>, axis| {
            let parts = gates.map(pick);
            Tensor::concatenate(&parts.each_ref(), axis)
        };
        Ok([join(&|g| g.x.value(), 1)?, join(&|g| g.h.value(), 1)?, join(&|g| g.b.value(), 0)?])
    }

    /// How many units there are, H.
    #[must_use]
    pub fn hidden(&self) -> usize {
        self.forget.b.shape().elements()
    }

    /// h = 0 and C = 0 for so many samples.
    ///
    /// # Errors
    /// If that is more than memory can address.
    pub fn zero_state(&self, samples: usize) -> Result<CellState<T>> {
        refuse_size("hidden units", self.hidden())?;
        let zero = Var::constant(Tensor::zeros([samples, self.hidden()])?);
        Ok(CellState { h: zero.clone(), c: zero })
    }

    /// One step: the state after x.
    ///
    /// # Errors
    /// If the sizes do not fit.
    pub fn step(&self, x: &Var<T>, state: &CellState<T>) -> Result<CellState<T>> {
        let forget = forget_gate(x, &state.h, &self.forget)?;
        let input = input_gate(x, &state.h, &self.input)?;
        let output = output_gate(x, &state.h, &self.output)?;
        let candidate = candidate(x, &state.h, &self.candidate)?;
        let c = forget.mul(&state.c)?.add(&input.mul(&candidate)?)?; // cell_update
        let h = output.mul(&c.tanh()?)?; // hidden_state
        Ok(CellState { h, c })
    }

    /// All steps of `[N, T, D]`: the outputs, `[N, T, H]`, and the last state.
    ///
    /// # Errors
    /// If the sizes do not fit, or there is no step.
    pub fn unroll(&self, x: &Var<T>, state: &CellState<T>) -> Result<(Var<T>, CellState<T>)> {
        let &[_, time, _] = x.shape().dims() else {
            return Err(Error::shape("lstm", "x of the shape [N, T, D]", x.shape()));
        };
        let (mut state, mut outputs) = (state.clone(), Vec::new());
        for t in 0..time {
            state = self.step(&x.select(1, t)?, &state)?;
            outputs.push(state.h.clone());
        }
        Ok((Var::stack(&outputs.iter().collect::<Vec<_>>(), 1)?, state))
    }
}
